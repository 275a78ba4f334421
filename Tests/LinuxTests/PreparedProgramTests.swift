import Foundation
import Testing

@testable import Linux

/// Nothing is ever executed here: each search fails, and says why.
@Suite("PreparedProgram")
struct PreparedProgramTests {
    private static func program(_ scratch: Scratch, _ directories: [String]) throws -> PreparedProgram {
        try PreparedProgram(
            arguments: [bytes("program")], environment: [],
            searchPath: directories.map { bytes("\(scratch.path)/\($0)") })
    }

    /// `no` has nothing, `file` is no directory, `plain` holds what may not be executed, `noise` what is no program, `loop` a
    /// link to itself, and `dangling` a link to nothing.
    private static func scratch() throws -> Scratch {
        let scratch = try Scratch()
        for name in ["empty", "plain", "noise", "loop", "dangling"] { try scratch.makeDirectory(name) }
        try scratch.make("file")
        try scratch.make("plain/program", "text")
        try scratch.make("noise/program", "\u{1}\u{2}noise")
        chmod("\(scratch.path)/noise/program", 0o755)
        try scratch.link("loop/program", to: "program")
        try scratch.link("dangling/program", to: "nothing")
        return scratch
    }

    @Test(
        "what is missing is skipped, and nothing else",
        arguments: [
            (["plain"], 0), (["empty", "file", "no", "dangling", "plain", "noise"], 4), (["loop", "plain"], 0),
            (["empty", "loop"], 1), (["empty", "no"], 0), ([], 0),
        ] as [([String], Int)])
    func skips(directories: [String], first: Int) throws {
        let scratch = try Self.scratch()
        var program = try Self.program(scratch, directories)
        program.skipMissing()
        #expect(program.first == first)
        withExtendedLifetime(scratch) {}
    }

    @Test(
        "a search ends as execvp(3) does, with and without looking ahead",
        arguments: [
            (["empty", "file", "no", "dangling"], .noEntry), ([], .noEntry), (["empty", "plain"], .permissionDenied),
            (["plain", "empty"], .permissionDenied), (["empty", "plain", "noise"], .executableFormat),
            (["noise", "plain"], .executableFormat), (["plain", "loop", "noise"], .tooManyLinks),
        ] as [([String], Errno)])
    func searches(directories: [String], errno: Errno) throws {
        let scratch = try Self.scratch()
        #expect(try Self.program(scratch, directories).execute() == errno)
        var program = try Self.program(scratch, directories)
        program.skipMissing()
        #expect(program.execute() == errno)
        withExtendedLifetime(scratch) {}
    }

    @Test("what has come or gone since it was looked for is what counts")
    func changes() throws {
        let scratch = try Self.scratch()
        var program = try Self.program(scratch, ["empty", "plain", "dangling"])
        program.skipMissing()
        try FileManager.default.removeItem(atPath: "\(scratch.path)/plain/program")
        #expect(program.execute() == .noEntry)
        try scratch.make("empty/program", "text")
        #expect(program.execute() == .permissionDenied)
    }
}
