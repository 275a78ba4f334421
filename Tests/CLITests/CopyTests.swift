import CLICore
import CRIProto
import Foundation
import Glibc
import Linux
import Synchronization
import Testing

@testable import swiftlet

@Suite struct CopyTests {
    static let places: [(String, CopyPlace?)] = [
        ("-", .standard), ("a", .local(path: "a")), ("/a:b", .local(path: "/a:b")), ("./a:b", .local(path: "./a:b")),
        ("c:/x", .container("c", path: "/x")), ("c:x", .container("c", path: "x")),
        ("c:/x:y", .container("c", path: "/x:y")),
        ("", nil), (":/x", nil), ("c:", nil),
    ]

    @Test("sides are told apart", arguments: places)
    func place(text: String, place: CopyPlace?) throws {
        guard let place else {
            #expect(throws: Failure.self) { try CopyPlace(text) }
            return
        }
        let read = try CopyPlace(text)
        #expect(read == place)
    }

    struct PathRow: Sendable {
        var text: String, path: String, name: String?, parent: String
        var directory = false, content = false
    }

    static let paths = [
        PathRow(text: "a", path: "a", name: "a", parent: "."),
        PathRow(text: "/a/b", path: "/a/b", name: "b", parent: "/a/"),
        PathRow(text: "/a//", path: "/a", name: "a", parent: "/", directory: true),
        PathRow(text: "a/.", path: "a", name: "a", parent: ".", directory: true, content: true),
        PathRow(text: "/", path: "/", name: nil, parent: "/", directory: true),
        PathRow(text: "/.", path: "/", name: nil, parent: "/", directory: true, content: true),
        PathRow(text: ".", path: ".", name: nil, parent: ".", directory: true, content: true),
        PathRow(text: "a/..", path: "a/..", name: nil, parent: "a/.."),
        PathRow(text: ".a", path: ".a", name: ".a", parent: "."),
    ]

    @Test("a path is taken apart", arguments: paths)
    func path(row: PathRow) {
        let path = CopyPath(row.text)
        #expect(path.path == row.path)
        #expect(path.name == row.name)
        #expect(path.parent == row.parent)
        #expect((path.wantsDirectory, path.meansContent) == (row.directory, row.content))
    }

    static let links: [(String, Int, Bool)] = [
        ("a", 1, true), ("a/b", 1, true), ("./a", 1, true), ("..", 1, false), ("../a", 1, false), ("../a", 2, true),
        ("../../a", 2, false), ("a/..", 2, false), ("a/../../b", 3, false), ("/etc/passwd", 5, false),
        ("./../x", 1, false),
        (".././../x", 2, false),
    ]

    @Test("a link leads out or stays", arguments: links)
    func link(text: String, depth: Int, isInside: Bool) {
        #expect(TreeCopy.staysInside(Array(text.utf8), depth: depth) == isInside)
    }

    // MARK: - Trees

    /// Copies `from` of a scratch directory to `to`, and returns what was left out.
    private func copy(_ scratch: ScratchDirectory, _ from: String, _ to: String) throws -> [String] {
        var notes: [String] = []
        let source = CopyPath(scratch.path + "/" + from)
        let target = try CopyTarget(local: CopyPath(scratch.path + "/" + to))
        let fd = try OwnedFD.open(Path(source.path), .path)
        try target.receive(fd, try fd.status().kind, source, by: TreeCopy { notes.append($0) })
        return notes
    }

    private func text(_ scratch: ScratchDirectory, _ path: String) throws -> String {
        try String(contentsOfFile: scratch.path + "/" + path, encoding: .utf8)
    }

    private func makeDirectory(_ scratch: ScratchDirectory, _ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: scratch.path + "/" + path, withIntermediateDirectories: true)
    }

    @Test("files and directories land where docker puts them")
    func rules() throws {
        let scratch = try ScratchDirectory()
        try makeDirectory(scratch, "from/deep")
        try makeDirectory(scratch, "there")
        _ = try scratch.write("from/file", "one")
        _ = try scratch.write("from/deep/file", "two")
        #expect(chmod(scratch.path + "/from/file", 0o6750) == 0)

        #expect(try copy(scratch, "from/file", "new") == [])
        #expect(try text(scratch, "new") == "one")
        let status = try OwnedFD.open(Path(scratch.path + "/new"), .path).status()
        #expect(status.mode == 0o750)
        _ = try copy(scratch, "from/file", "there")
        #expect(try text(scratch, "there/file") == "one")
        _ = try copy(scratch, "from/deep/file", "there/file")
        #expect(try text(scratch, "there/file") == "two")
        _ = try copy(scratch, "from", "made")
        #expect(try text(scratch, "made/deep/file") == "two")
        _ = try copy(scratch, "from", "there")
        #expect(try text(scratch, "there/from/deep/file") == "two")
        _ = try copy(scratch, "from/.", "there")
        #expect(try text(scratch, "there/deep/file") == "two")
        // A second time over what is there.
        _ = try copy(scratch, "from/.", "there/")
        #expect(try text(scratch, "there/file") == "one")
    }

    static let refusals: [(String, String)] = [
        ("from/file", "missing/"), ("from/file", "missing/x"), ("from/file/.", "x"), ("from/file", "from/file/"),
        ("from", "from/file"), ("pipe", "to"), ("../../../../../../proc", "to"),
    ]

    @Test("what has no place is refused", arguments: refusals)
    func refused(from: String, to: String) throws {
        let scratch = try ScratchDirectory()
        try makeDirectory(scratch, "from")
        _ = try scratch.write("from/file", "one")
        #expect(mkfifo(scratch.path + "/pipe", 0o600) == 0)
        #expect(throws: (any Error).self) { try copy(scratch, from, to) }
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/to"))
        #expect(try text(scratch, "from/file") == "one")
    }

    @Test("links that lead out, pipes and sockets of a container are left out and said; others come along")
    func hostileTree() throws {
        let scratch = try ScratchDirectory()
        try makeDirectory(scratch, "from/sub")
        _ = try scratch.write("from/sub/file", "one")
        let links = [
            "inside": "sub/file", "sub/up": "../sub/file", "absolute": "/etc/passwd", "above": "../victim",
            "trick": "sub/up/../../..",
        ]
        for (name, text) in links { #expect(symlink(text, scratch.path + "/from/" + name) == 0) }
        #expect(mkfifo(scratch.path + "/from/pipe", 0o600) == 0)
        let notes = try copy(scratch, "from", "to")
        #expect(
            Set(
                notes.compactMap {
                    $0.split(separator: "\"").dropFirst().first?.split(separator: "/").last.map(String.init)
                })
                == ["absolute", "above", "trick", "pipe"])
        #expect(try text(scratch, "to/inside") == "one")
        #expect(try text(scratch, "to/sub/up") == "one")
        #expect(!FileManager.default.fileExists(atPath: scratch.path + "/to/pipe"))
    }

    @Test("links that wait in the target are replaced or refused, and nothing is written through them")
    func hostileTarget() throws {
        let scratch = try ScratchDirectory()
        try makeDirectory(scratch, "from/sub")
        try makeDirectory(scratch, "victim")
        try makeDirectory(scratch, "to/from")
        _ = try scratch.write("from/file", "new")
        _ = try scratch.write("from/sub/file", "new")
        let victim = try scratch.write("victim/file", "old")
        #expect(symlink(victim, scratch.path + "/to/from/file") == 0)
        #expect(symlink(scratch.path + "/victim", scratch.path + "/to/from/sub") == 0)
        #expect(throws: (any Error).self) { try copy(scratch, "from", "to") }
        #expect(unlink(scratch.path + "/to/from/sub") == 0)
        #expect(try copy(scratch, "from", "to") == [])
        #expect(try text(scratch, "victim/file") == "old")
        #expect(try text(scratch, "to/from/file") == "new")
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/victim") == ["file"])
    }

    @Test("a tree too deep is refused, whatever it costs to say so")
    func deep() throws {
        let scratch = try ScratchDirectory()
        try makeDirectory(scratch, "from" + String(repeating: "/d", count: 210))
        let error = #expect(throws: Failure.self) { try copy(scratch, "from", "to") }
        #expect(error?.message.contains("deeper than 200") == true)
    }

    @Test("the kernel's own files are neither copied as trees nor written")
    func kernelFiles() throws {
        let scratch = try ScratchDirectory()
        try makeDirectory(scratch, "to")
        var notes: [String] = []
        let copy = TreeCopy { notes.append($0) }
        let proc = try OwnedFD.open("/proc", .path)
        try copy.copy(proc, to: "proc", in: try OwnedFD.open(Path(scratch.path + "/to"), .path), shown: "/proc")
        #expect(notes.count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/to/proc") == [])
        #expect(throws: Failure.self) { _ = try CopyTarget(local: CopyPath("/proc/sys/kernel/")) }
        #expect(throws: Failure.self) { _ = try CopyTarget(local: CopyPath("/proc/self/newfile")) }
    }

    // MARK: - Containers

    @Test("a process that is not the container's is refused", arguments: [true, false])
    func wrongProcess(namesItsCgroup: Bool) throws {
        // With the right cgroup it still has this machine's own root.
        let cgroup = try String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)
        let error = #expect(throws: Failure.self) {
            _ = try ContainerRoot.open(
                container: namesItsCgroup ? String(cgroup.prefix(5)) : String(repeating: "f", count: 64), pid: getpid())
        }
        #expect(error?.message.contains("is not the container's") == true)
    }

    @Test("a process that has gone is said")
    func goneProcess() throws {
        let error = #expect(throws: Failure.self) { _ = try ContainerRoot.open(container: "x", pid: Int32.max) }
        #expect(error?.message == "open the container's files: its process is gone")
    }

    static let failures: [([String], String, Int32)] = [
        (["0002:/x", "-"], "does not tell the process", 1), (["a", "b"], "CONTAINER:PATH", 2),
        (["0002:/x", "0002:/y"], "two containers", 2), (["-", "-"], "CONTAINER:PATH", 2),
        (["0003:/x", "y"], "not running", 1), (["9:/x", "y"], "no container", 1),
    ]

    @Test("what cannot be copied is said", arguments: failures)
    func failure(arguments: [String], says: String, status: Int32) async throws {
        try await FakeRuntime.with { runtime in
            let pod = runtime.addPod("p")
            runtime.addContainer("a", in: pod)
            runtime.addContainer("b", in: pod, .containerExited)
            let result = await runtime.swiftlet(["cp"] + arguments)
            #expect(result.status == status)
            #expect(result.err.contains(says), "\(result.err)")
        }
    }

    @Test(
        "the pid is found where Swiftlet, containerd and CRI-O tell it",
        arguments: [
            ["pid": "4194305"], ["info": #"{"sandboxID": "x", "pid": 4194305}"#],
        ])
    func processID(info: [String: String]) async throws {
        try await FakeRuntime.with { runtime in
            runtime.addContainer("a", in: runtime.addPod("p"))
            runtime.world.state.withLock { $0.info = info }
            let result = await runtime.swiftlet("cp", "0002:/x", "-")
            // Linux numbers processes up to 4194304.
            #expect(result.err == "swiftlet: open the container's files: its process is gone\n")
        }
    }
}
