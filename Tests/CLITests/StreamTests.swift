import CLICore
import CRIProto
import Foundation
import Glibc
import Model
import Synchronization
import Testing

@testable import swiftlet

/// The program as a process, over real streams.
@Suite(.serialized, .timeLimit(.minutes(2))) struct StreamTests {
    static let transports = ["spdy", "websocket"]

    @Test("exec sends the input to its end, keeps outputs apart and ends with the status", arguments: transports)
    func exec(transport: String) async throws {
        try await StreamFixture.with { fixture in
            let result = try await fixture.swiftlet(
                ["exec", "-i", "-r", transport, "0002", "/bin/sh", "-c", "cat; echo warned >&2; exit 42"],
                input: Array("typed".utf8))
            #expect(result == (42, "typed", "warned\n"))
        }
    }

    @Test("a status of zero, and those by which shells tell what they could not run", arguments: [0, 126, 127, 255])
    func statuses(code: Int32) async throws {
        try await StreamFixture.with { fixture in
            let result = try await fixture.swiftlet(["exec", "0002", "/bin/sh", "-c", "exit \(code)"])
            #expect(result == (code, "", ""))
        }
    }

    @Test("a command that cannot be started is said in the runtime's words")
    func failure() async throws {
        try await StreamFixture.with { fixture in
            fixture.target.fail(with: Fault(.internal, "execute \"nonsense\"", cause: "no such file"))
            let result = try await fixture.swiftlet(["exec", "0002", "nonsense"])
            #expect(result.status == 1)
            #expect(result.err.hasPrefix("swiftlet: exec in container \"0002fffffffff\": "))
            #expect(result.err.contains("execute \"nonsense\""))
            #expect(result.err.split(separator: "\n").count == 1)
        }
    }

    @Test("the operation is named once, without the words that only kubelets look for")
    func plainFailure() {
        let why = "exec \"x\": executable file not found in $PATH"
        let preamble = "Internal error occurred: error executing command in container: "
        let operation = "exec in container \"0002fffffffff\""
        #expect(Failure.remote(operation, preamble + operation + ": " + why).message == "\(operation): \(why)")
        #expect(Failure.remote(operation, preamble + why).message == "\(operation): \(why)")
        #expect(Failure.remote(operation, why).message == "\(operation): \(why)")
        let gone = Failure.remote(
            "attach to container \"a\"", "Internal error occurred: error attaching to container: gone")
        #expect(gone.message == "attach to container \"a\": gone")
    }

    @Test("bytes go both ways unchanged, more than any buffer holds", arguments: transports)
    func volume(transport: String) async throws {
        try await StreamFixture.with { fixture in
            var bytes = [UInt8](repeating: 0, count: 8 << 20)
            for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* index >> 7) & 0x7f }
            let result = try await fixture.swiftlet(["exec", "-i", "-r", transport, "0002", "/bin/cat"], input: bytes)
            #expect(result.status == 0)
            #expect(result.err == "")
            #expect(Array(result.out.utf8) == bytes)
        }
    }

    @Test("a reader that has gone ends exec quietly")
    func readerGone() async throws {
        try await StreamFixture.with { fixture in
            let program = try Executable.start(
                ["-r", fixture.runtime.endpoint, "exec", "0002", "/bin/sh", "-c", "while echo y; do :; done"],
                closesOutput: true)
            defer { program.end() }
            #expect(try await program.exitStatus() == 141)
            #expect(program.error == "")
        }
    }

    @Test("a command that lasts too long is given up")
    func timeout() async throws {
        try await StreamFixture.with { fixture in
            let result = try await fixture.swiftlet(["exec", "--timeout", "1", "0002", "/bin/sleep", "1000"])
            #expect(result.status == 1)
            #expect(result.err.contains("not finished within 1 s"))
        }
    }

    @Test("flags choose containers, with their ids before the output")
    func choice() async throws {
        try await StreamFixture.with { fixture in
            let other = fixture.runtime.addContainer("b", in: "0001", secondsAgo: 5)
            let first = "0002" + String(repeating: "f", count: 60)
            let both = try await fixture.swiftlet(["exec", "--label", "tier=a", "--label", "tier=a", "/bin/echo", "x"])
            #expect(both == (0, "\(first):\nx\n", ""))
            let all = try await fixture.swiftlet(["exec", "--name", ".", "--", "/bin/sh", "-c", "echo y; exit 3"])
            #expect(all == (3, "\(other):\ny\n\(first):\ny\n", ""))
            let ignoring = try await fixture.swiftlet(["exec", "-q", "-e", "-l", "/bin/false"])
            #expect(ignoring == (0, "", ""))
            let parallel = try await fixture.swiftlet(["exec", "-x", "-n", "0", "/bin/echo", "z"])
            #expect(parallel == (0, "z\nz\n", ""))
            let none = try await fixture.swiftlet(["exec", "--name", "nothing", "/bin/echo"])
            #expect(none.err == "swiftlet: no running container fits the flags\n")
        }
    }

    @Test("attach shows output, sends input and ends with the container's status")
    func attach() async throws {
        try await StreamFixture.with(attached: ["/bin/sh", "-c", "read line; echo got $line; echo warned >&2"]) {
            fixture in
            fixture.runtime.world.state.withLock { state in
                state.onCall = { _ in }
                state.containers.keys.forEach { state.end($0, with: 9) }
            }
            let result = try await fixture.swiftlet(["attach", "-i", "0002"], input: Array("hello\n".utf8))
            #expect(result == (9, "got hello\n", "warned\n"))
        }
    }

    // MARK: - Terminals

    @Test("a terminal without one to hand over is refused", arguments: [["exec"], ["attach"]])
    func noTerminal(command: [String]) async throws {
        try await StreamFixture.with { fixture in
            let result = try await fixture.swiftlet(
                command + ["-it", "0002"] + (command == ["exec"] ? ["/bin/true"] : []))
            #expect(result.status == 2)
            #expect(result.err.contains("the input is not a terminal"))
        }
    }

    @Test(
        "the terminal is raw for the command, has its size, follows it, and is restored", arguments: transports)
    func terminal(transport: String) async throws {
        try await StreamFixture.with { fixture in
            // `wait` ends with a trapped signal, which `read` does not.
            let script =
                "trap 'stty size' WINCH; trap 'echo interrupted' INT; trap 'kill $!; exit 5' QUIT; stty size; "
                + "sleep 1000 & echo ready; while kill -0 $! 2>/dev/null; do wait; done"
            let program = try fixture.terminal(
                ["exec", "-it", "-r", transport, "0002", "/bin/bash", "-c", script], rows: 33, columns: 101)
            defer { program.end() }
            try await program.waitFor("ready")
            #expect(!program.isCooked)
            try await program.waitFor("33 101")
            try program.resize(rows: 44, columns: 122)
            try await program.waitFor("44 122")
            // Ctrl-C and ctrl-\ are the remote process's.
            try program.type("\u{3}")
            try await program.waitFor("interrupted")
            try program.type("\u{1c}")
            #expect(try await program.exitStatus() == 5)
            #expect(program.isRestored)
        }
    }

    @Test("what is typed goes to the command line by line, and ctrl-d ends it", arguments: transports)
    func typed(transport: String) async throws {
        try await StreamFixture.with { fixture in
            let program = try fixture.terminal(
                ["exec", "-it", "-r", transport, "0002", "/bin/sh", "-c", "while read a; do echo got $a; done; exit 6"])
            defer { program.end() }
            try program.type("one\r")
            try await program.waitFor("got one\r\n")
            try program.type("two\r")
            try await program.waitFor("got two\r\n")
            try program.type("\u{4}")
            #expect(try await program.exitStatus() == 6)
            #expect(program.isRestored)
        }
    }

    @Test("a signal restores the terminal and ends with its number", arguments: [SIGTERM, SIGHUP, SIGINT, SIGQUIT])
    func signals(signal: Int32) async throws {
        try await StreamFixture.with { fixture in
            let program = try fixture.terminal(["exec", "-it", "0002", "/bin/sh", "-c", "echo ready; exec sleep 1000"])
            defer { program.end() }
            try await program.waitFor("ready")
            #expect(!program.isCooked)
            kill(try program.programID(), signal)
            #expect(try await program.exitStatus() == 128 + signal)
            #expect(program.isRestored)
        }
    }

    @Test("a command that cannot be started leaves the terminal as it was")
    func failedTerminal() async throws {
        try await StreamFixture.with { fixture in
            fixture.target.fail(with: Fault(.internal, "execute \"nonsense\"", cause: "no such file"))
            let program = try fixture.terminal(["exec", "-it", "0002", "nonsense"])
            defer { program.end() }
            #expect(try await program.exitStatus() == 1)
            #expect(program.isRestored)
            #expect(program.shown.contains("execute \"nonsense\""))
        }
    }

    @Test(
        "the detach keys leave the container running",
        arguments: [("ctrl-p,ctrl-q", "\u{10}\u{11}"), ("q,ctrl-x", "q\u{18}")])
    func detach(keys: (String, String)) async throws {
        try await StreamFixture.with(attached: ["/bin/sh", "-c", "echo ready; exec cat -v"]) { fixture in
            let program = try fixture.terminal(["attach", "-it", "--detach-keys", keys.0, "0002"])
            defer { program.end() }
            try await program.waitFor("ready")
            try program.type(keys.1)
            #expect(try await program.exitStatus() == 0)
            #expect(program.shown.contains("detached from container"))
            #expect(program.isRestored)
        }
    }
}

@Suite struct DetachKeysTests {
    static let rows: [(String, [String], String, Bool)] = [
        ("ctrl-p,ctrl-q", ["abc"], "abc", false), ("ctrl-p,ctrl-q", ["a\u{10}", "\u{11}b"], "a", true),
        ("ctrl-p,ctrl-q", ["\u{10}", "x"], "\u{10}x", false), ("ctrl-p,ctrl-q", ["\u{10}\u{10}\u{11}"], "\u{10}", true),
        ("a,a,b", ["aaab"], "a", true), ("a,b,a,c", ["ababac"], "ab", true), ("x", ["yxz"], "y", true),
        ("ctrl-@", ["\0"], "", true),
    ]

    @Test("typed keys go on unless they are the sequence", arguments: rows)
    func filter(keys: String, typed: [String], passed: String, isDetached: Bool) throws {
        var keys = try #require(try DetachKeys(parsing: keys))
        var out: [UInt8] = []
        var detached = false
        for part in typed where !detached {
            let result = keys.filter(Array(part.utf8))
            out += result.bytes
            detached = result.isDetached
        }
        #expect((String(decoding: out, as: UTF8.self), detached) == (passed, isDetached))
    }

    @Test("what are no keys is refused", arguments: ["ctrl-", "ctrl-1", "ab", "a,,b", ",", "ctrl-pp", "é"])
    func bad(text: String) { #expect(throws: Failure.self) { try DetachKeys(parsing: text) } }

    @Test("an empty text means no keys")
    func none() throws {
        let keys = try DetachKeys(parsing: "")
        #expect(keys == nil)
    }
}
