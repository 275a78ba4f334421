import CLICore
import CRIProto
import Glibc
import SwiftProtobuf
import Synchronization
import Testing

@testable import swiftlet

@Suite(.serialized, .timeLimit(.minutes(2))) struct PasswordTests {
    static let askingRows = [["pull", "--creds", "me"], ["pull", "-u", "me"], ["pull", "--username", "me"]]

    @Test("a password that is left out is asked for, and the terminal shows nothing of it", arguments: askingRows)
    func asking(arguments: [String]) async throws {
        try await FakeRuntime.with { runtime in
            let program = try TerminalProgram(["-r", runtime.endpoint] + arguments + ["-q", "app:1"])
            defer { program.end() }
            try await program.waitFor("Password of \"me\": ")
            try program.type("s3:cret\n")
            #expect(try await program.exitStatus() == 0)
            let request = runtime.world.state.withLock { $0.requests["PullImage"] as? Runtime_V1_PullImageRequest }
            #expect(request?.auth.username == "me" && request?.auth.password == "s3:cret")
            #expect(!program.shown.contains("s3:cret"))
            #expect(program.isRestored)
        }
    }

    static let endRows: [(String?, Int32, Int32)] = [
        (nil, SIGTERM, 143), (nil, SIGHUP, 129), ("\u{3}", 0, 130), ("\u{1c}", 0, 131), ("\u{4}", 0, 1),
    ]

    @Test("signals, keys and the input's end leave the terminal as it was", arguments: endRows)
    func ends(keys: String?, signal: Int32, status: Int32) async throws {
        try await FakeRuntime.with { runtime in
            let program = try TerminalProgram(["-r", runtime.endpoint, "pull", "--creds", "me", "app:1"])
            defer { program.end() }
            try await program.waitFor("Password of \"me\": ")
            if let keys { try program.type(keys) } else { kill(try program.programID(), signal) }
            #expect(try await program.exitStatus() == status)
            #expect(program.isRestored)
            #expect(!runtime.calls.contains("PullImage"))
        }
    }

    @Test("an input that is no terminal is refused, an empty password is one", arguments: ["--creds", "--username"])
    func noTerminal(flag: String) async throws {
        try await FakeRuntime.with { runtime in
            let program = try Executable.start(["-r", runtime.endpoint, "pull", flag, "me", "app:1"])
            defer { program.end() }
            #expect(try await program.exitStatus() == 2)
            #expect(program.error.contains("is asked for on a terminal, and the input is none"))
            #expect(program.error.split(separator: "\n").count == 1)
            #expect(await runtime.swiftlet("pull", "-q", "--creds", "me:", "app:1").status == 0)
            #expect(await runtime.swiftlet("pull", "--creds", "a:b", "-u", "c", "app:1").status == 2)
            #expect(await runtime.swiftlet("pull", "-u", "", "app:1").status == 2)
        }
    }
}
