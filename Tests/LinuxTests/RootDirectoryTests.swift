import Foundation
import Glibc
import Testing

@testable import Linux

/// A root beside a canary, with links of every shape that leads or would lead out.
private final class Tree: Sendable {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try scratch.makeDirectory("root/etc")
        try scratch.makeDirectory("root/run/inner")
        try scratch.makeDirectory("canary/deep")
        try scratch.make("canary/file", "canary")
        try scratch.make("root/etc/hosts", "inside")
        try scratch.link("root/absolute", to: scratch.path + "/canary")
        try scratch.link("root/relative", to: "../../../../../../.." + scratch.path + "/canary")
        try scratch.link("root/loop", to: "loop")
        try scratch.link("root/run/up", to: "../..")
        try scratch.link("root/var", to: "/run")
        try scratch.link("root/dangling", to: "/made/by/link")
        try scratch.link("root/danglingfile", to: "../etc/made")
    }

    func root() throws(Errno) -> RootDirectory {
        RootDirectory(try OwnedFD.open(Path(scratch.path + "/root"), [.path, .directory]))
    }

    func canary() -> [String] { scratch.tree("canary") }
}

@Suite("RootDirectory")
struct RootDirectoryTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var path: String
        var make: MissingEntry = .directory(mode: 0o755)
        /// Where it ends up below the root, or the reason why it does not.
        var place: String?
        var error: Errno?
        var testDescription: String { path }
    }

    static let rows: [Row] = [
        Row(path: "/etc/hosts", place: "etc/hosts"),
        Row(path: "etc/../etc//./hosts", place: "etc/hosts"),
        Row(path: "/../../../etc/hosts", place: "etc/hosts"),
        Row(path: "/run/up/etc/hosts", place: "etc/hosts"),
        Row(path: "/var/inner", place: "run/inner"),
        Row(path: "/var/new/deeper", place: "run/new/deeper"),
        Row(path: "/var/new/file", make: .file(mode: 0o640), place: "run/new/file"),
        Row(path: "/dangling", place: "made/by/link"),
        Row(path: "/dangling/below", place: "made/by/link/below"),
        Row(path: "/danglingfile", make: .file(mode: 0o644), place: "etc/made"),
        Row(path: "/absolute/new", make: .file(mode: 0o644), place: nil),
        Row(path: "/relative/new", make: .file(mode: 0o644), place: nil),
        Row(path: "/", place: ""),
        Row(path: "/a/b/c/d", place: "a/b/c/d"),
        Row(path: "/loop/x", error: .tooManyLinks),
        Row(path: "/etc/hosts/x", error: .notDirectory),
    ]

    @Test(
        "a path is made and found below the root, whatever the links are, and nothing outside changes", arguments: rows)
    func confinement(row: Row) throws {
        let tree = try Tree()
        let before = tree.canary()
        let root = try tree.root()
        do throws(Errno) {
            let found = try root.resolve(Path(row.path), making: row.make).status()
            #expect(row.error == nil)
            if let place = row.place {
                let expected = try OwnedFD.open(Path(tree.scratch.path + "/root/" + place), .path).status()
                #expect(found.inode == expected.inode)
                #expect(found.device == expected.device)
                if case .file(let mode) = row.make, !place.hasSuffix("hosts") { #expect(found.mode == mode) }
            }
        } catch {
            #expect(error == row.error)
        }
        #expect(tree.canary() == before)
        #expect(try tree.scratch.text("canary/file") == "canary")
    }

    @Test("a lookup alone makes nothing")
    func lookup() throws {
        let tree = try Tree()
        let before = tree.scratch.tree()
        let root = try tree.root()
        #expect(throws: Errno.noEntry) { _ = try root.resolve("/missing/entry").status() }
        #expect(throws: Errno.noEntry) { _ = try root.resolve("/dangling").status() }
        #expect(throws: Errno.noEntry) { _ = try root.resolve("/absolute/file").status() }
        #expect(tree.scratch.tree() == before)
    }

    @Test("the links of procfs that lead anywhere are refused")
    func magicLinks() throws {
        let root = RootDirectory(try OwnedFD.open("/", [.path, .directory]))
        #expect(throws: Errno.tooManyLinks) { _ = try root.resolve("/proc/self/root/etc").status() }
        #expect(throws: Errno.tooManyLinks) { _ = try root.resolve("/proc/self/cwd").status() }
    }

    @Test("the parent of a path is made, and its last component is left alone")
    func parent() throws {
        let tree = try Tree()
        let root = try tree.root()
        let parent = try root.parent(of: "/var/x/y")
        let name = parent.name
        #expect(name == "y")
        #expect(tree.scratch.exists("root/run/x"))
        #expect(!tree.scratch.exists("root/run/x/y"))
        for path: Path in ["/", "", "/..", "/etc/.."] {
            #expect(throws: Errno.invalidArgument) { _ = try root.parent(of: path).name }
        }
    }

    @Test("a chain of 41 links and a path of too many components are refused")
    func bounds() throws {
        let scratch = try Scratch()
        for index in 0..<41 { try scratch.link("l\(index)", to: "l\(index + 1)") }
        let root = RootDirectory(try scratch.open())
        #expect(throws: Errno.tooManyLinks) { _ = try root.resolve("/l0/x", making: .directory(mode: 0o755)).status() }
        let deep = Path(String(repeating: "d/", count: 300))
        #expect(throws: Errno.nameTooLong) { _ = try root.resolve(deep, making: .directory(mode: 0o755)).status() }
    }

    @Test("a directory that is swapped for a link while a path is made never leads out")
    func race() throws {
        let scratch = try Scratch()
        try scratch.makeDirectory("root/volume/real")
        try scratch.makeDirectory("canary")
        try scratch.link("root/volume/other", to: "/../../../../../../.." + scratch.path + "/canary")
        let volume = try OwnedFD.open(Path(scratch.path + "/root/volume"), .path).take()
        let root = RootDirectory(try OwnedFD.open(Path(scratch.path + "/root"), [.path, .directory]))
        let stop = StopFlag()
        let swapper = Thread {
            while !stop.isSet { exchange(volume) }
            stop.finish()
        }
        swapper.start()
        for index in 0..<2_000 {
            do {
                _ = try root.resolve(Path("/volume/real/a\(index)/b"), making: .directory(mode: 0o755)).status()
            } catch {
                // Refused is as good as confined.
            }
        }
        stop.set()
        stop.waitUntilFinished()
        try OwnedFD(taking: volume).close()
        #expect(scratch.tree("canary").isEmpty)
    }
}

/// Puts the link in the directory's place and back.
private func exchange(_ directory: Int32) {
    _ = renameat(directory, "real", directory, "aside")
    _ = renameat(directory, "other", directory, "real")
    _ = renameat(directory, "real", directory, "other")
    _ = renameat(directory, "aside", directory, "real")
}

private final class StopFlag: @unchecked Sendable {
    // Every access holds the condition's lock.
    private let condition = NSCondition()
    private var stopped = false
    private var finished = false

    var isSet: Bool { condition.withLock { stopped } }
    func set() { condition.withLock { stopped = true } }
    func finish() {
        condition.withLock { finished = true }
        condition.broadcast()
    }
    func waitUntilFinished() {
        condition.lock()
        while !finished { condition.wait() }
        condition.unlock()
    }
}
