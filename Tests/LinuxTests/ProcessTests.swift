import Foundation
import Testing

@testable import Linux

/// Runs a shell text with the given descriptors and returns what it writes to descriptor 1, and its end.
private func run(
    _ script: String, environment: [String] = [], in directory: String? = nil,
    _ prepare: (inout ProgramSpawn) throws -> Void = { _ in }
) throws -> (output: String, status: ExitStatus) {
    var pipe = try Pipe()
    var spawn = ProgramSpawn(
        "/bin/sh", arguments: ["sh", "-c", script].map(bytes), environment: environment.map(bytes))
    try spawn.pass(pipe.writing, as: 1)
    try prepare(&spawn)
    let program: SpawnedProgram
    if let directory {
        program = try spawn.start(in: OwnedFD.open(Path(directory), [.path, .directory]))
    } else {
        program = try spawn.start()
    }
    do { _ = pipe.takeWriting() }
    let output = try pipe.reading.readToEnd(max: 1 << 20)
    return (String(decoding: output, as: UTF8.self), try program.pidfd.wait())
}

@Suite("Programs")
struct ProgramTests {
    @Test(
        "an exit code or a signal is told",
        arguments: [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", 137), ("kill -15 $$", 143)])
    func status(script: String, code: Int32) throws {
        #expect(try run(script).status.code == code)
    }

    @Test("a program has exactly the descriptors that it was given")
    func descriptors() throws {
        // Open here without close-on-exec, as some library may have it.
        let leak = dup(0)
        defer { close(leak) }
        let none = try run(
            "for f in /proc/self/fd/*; do [ -e $f ] && echo ${f##*/}; done; readlink /proc/$$/fd/0 /proc/$$/fd/2")
        #expect(none.output.split(separator: "\n").filter { $0.count < 3 } == ["0", "1", "2"])
        #expect(none.output.hasSuffix("/dev/null\n/dev/null\n"))
    }

    @Test("descriptors are mapped although sources and targets overlap")
    func overlap() throws {
        let a = try MemoryFile.sealed(bytes("A"), name: "a")
        let b = try MemoryFile.sealed(bytes("B"), name: "b")
        let (first, second) = (a.withRaw { $0 }, b.withRaw { $0 })
        guard first < 60, second < 60 else { return }
        let result = try run("cat /proc/self/fd/\(second) /proc/self/fd/\(first)") { spawn in
            // Each takes the other's number.
            try spawn.pass(a, as: second)
            try spawn.pass(b, as: first)
        }
        #expect(result.output == "AB")
    }

    @Test("nothing of the environment is inherited")
    func environment() throws {
        #expect(
            try run("env | sort", environment: ["B=2", "A=1=x"]).output
                == "A=1=x\nB=2\nPWD=\(FileManager.default.currentDirectoryPath)\n")
    }

    @Test("the working directory is the given one")
    func workingDirectory() throws {
        #expect(try run("pwd -P", in: "/usr").output == "/usr\n")
    }

    @Test("signals have their default disposition and none is blocked")
    func signals() throws {
        let result = try run(
            "while read name value; do case $name in Sig[BIC]*) echo $value;; esac; done < /proc/$$/status")
        // glibc has its own two, 32 and 33, ignored by every program that it spawns; the launcher takes that back.
        let ofLibrary: UInt64 = 1 << 31 | 1 << 32
        let masks = result.output.split(separator: "\n").map { (UInt64($0, radix: 16) ?? .max) & ~ofLibrary }
        // The shell itself catches SIGINT and SIGCHLD at most.
        #expect(masks.count == 3)
        #expect(masks[0] == 0)
        #expect(masks[1] == 0)
        #expect(masks[2] & ~(1 << 1 | 1 << 16) == 0)
    }

    @Test("a program gets a process group of its own, or a session of its own")
    func groups() throws {
        let script = "cut -d' ' -f1,5,6 /proc/$$/stat"
        let group = try run(script).output.split { $0 == " " || $0 == "\n" }
        #expect(group[0] == group[1])
        #expect(group[2] != group[0])
        let session = try run(script) { $0.setNewSession() }.output.split { $0 == " " || $0 == "\n" }
        #expect(session[0] == session[2])
    }

    @Test("a program that is not there is an error at once, and a NUL in an argument too")
    func failures() {
        #expect(throws: Errno.noEntry) { _ = try ProgramSpawn("/no/such", arguments: [bytes("x")]).start().pid }
        #expect(throws: Errno.invalidArgument) {
            _ = try ProgramSpawn("/bin/true", arguments: [[0x61, 0]]).start().pid
        }
    }

    @Test("a pidfd signals, waits and knows its own child")
    func pidfd() throws {
        var spawn = ProgramSpawn("/bin/sleep", arguments: ["sleep", "1000"].map(bytes))
        spawn.setNewSession()
        let program = try spawn.start()
        #expect(program.pidfd.isChild() == true)
        #expect(try program.pidfd.hasEnded() == false)
        #expect(try program.pidfd.reap() == nil)
        #expect(program.pidfd.peekStatus() == nil)
        try program.pidfd.send(.terminate)
        #expect(try program.pidfd.fd.waitReadable(milliseconds: 10_000) == true)
        #expect(program.pidfd.peekStatus() == .signaled(.terminate))
        #expect(try program.pidfd.reap() == .signaled(.terminate))
        #expect(program.pidfd.isChild() == false)
        #expect(throws: Errno.noProcess) { try program.pidfd.send(.terminate) }
        #expect(try Pidfd.open(pid: getppid()).isChild() == false)
    }

    @Test("the kernel tells whether a child has executed a program, dead or alive", .enabled(if: geteuid() == 0))
    func executed() throws {
        let proc = try PrivateProc()
        let spawn = ProgramSpawn("/bin/true", arguments: [bytes("true) S 1 (")])
        let program = try spawn.start()
        #expect(try proc.hasExecuted(pid: program.pid) == true)
        #expect(try program.pidfd.fd.waitReadable(milliseconds: 10_000) == true)
        #expect(try proc.hasExecuted(pid: program.pid) == true)
        #expect(try program.pidfd.reap() == .exited(0))
        #expect(throws: Errno.noEntry) { try proc.hasExecuted(pid: program.pid) }
    }
}

@Suite("PrivateProc", .enabled(if: geteuid() == 0))
struct PrivateProcTests {
    @Test(
        "a sysctl is named below /proc/sys and nowhere else",
        arguments: ["../self/oom_score_adj", "/etc/passwd", "../../etc"])
    func sysctlPaths(path: String) throws {
        let proc = try PrivateProc()
        #expect(throws: Errno.crossDevice) { try proc.writeSysctl(Path(path), bytes("0")) }
    }

    @Test("links to other file systems are not followed")
    func links() throws {
        let proc = try PrivateProc()
        #expect(throws: Errno.tooManyLinks) { _ = try proc.open("self/root/etc/passwd", .readOnly).status() }
        #expect(throws: Errno.tooManyLinks) { _ = try proc.open("self/exe", .readOnly).status() }
        #expect(try proc.read("self/comm", max: 64) != [])
    }

    @Test("it is attached nowhere")
    func detached() throws {
        let before = try MountInfo.current().count
        let proc = try PrivateProc()
        #expect(try MountInfo.current().count == before)
        #expect(try proc.fd.filesystemMagic() == .proc)
    }
}
