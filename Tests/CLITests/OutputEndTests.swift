import CLICore
import Foundation
import Testing

@testable import swiftlet

/// Outputs that take nothing.
@Suite(.timeLimit(.minutes(2))) struct OutputEndTests {
    /// Runs the program under a shell, with its output where `redirection` leads.
    private func run(_ arguments: [String], _ redirection: String) async throws -> (status: Int32, err: String) {
        let program = try Executable.program().path
        let words = ["-c", "\"$0\" \"$@\" \(redirection)", program] + arguments
        let shell = try Executable.start(words, program: "/bin/sh")
        defer { shell.end() }
        return (try await shell.exitStatus(), shell.error)
    }

    static let commands = [["--version"], ["--help"], ["ps", "--help"], ["completion", "bash"], ["ps"]]

    @Test("a full disk is said in plain words", arguments: commands)
    func full(command: [String]) async throws {
        try await FakeRuntime.with { runtime in
            let result = try await run(["-r", runtime.endpoint] + command, ">/dev/full")
            #expect(result == (1, "swiftlet: write output: no space left on device\n"))
        }
    }

    @Test("a closed output is one, and no socket gets what was meant for it", arguments: commands)
    func closed(command: [String]) async throws {
        try await FakeRuntime.with { runtime in
            runtime.addContainer("app", in: runtime.addPod("web"))
            let result = try await run(["-r", runtime.endpoint] + command, ">&-")
            #expect(result == (1, "swiftlet: write output: the output is closed\n"))
            #expect(try await run(["-r", runtime.endpoint, "ps"], ">&- 2>&- <&-").status == 1)
        }
    }

    @Test(
        "a reader that has gone ends every list quietly", arguments: [["ps"], ["images"], ["info"], ["top", "--once"]])
    func readerGone(command: [String]) async throws {
        try await FakeRuntime.with { runtime in
            runtime.addContainer("app", in: runtime.addPod("web"))
            let program = try Executable.start(["-r", runtime.endpoint] + command, closesOutput: true)
            defer { program.end() }
            #expect(try await program.exitStatus() == 141)
            #expect(program.error == "")
        }
    }
}
