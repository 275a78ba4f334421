import CLICore
import SwiftProtobuf
import SwiftletAPI
import Synchronization
import Testing

@testable import swiftlet

/// The commands that look after the daemon itself.
@Suite struct OperatingTests {
    @Test func `the log level is shown and changed`() async throws {
        try await FakeRuntime.with { runtime in
            #expect(await runtime.swiftlet("log-level") == (0, "info\n", ""))
            #expect(await runtime.swiftlet("log-level", "debug") == (0, "debug (was info)\n", ""))
            #expect(await runtime.swiftlet("log-level") == (0, "debug\n", ""))
            let refused = await runtime.swiftlet("log-level", "loud")
            #expect(refused.status == 1 && refused.out == "")
            #expect(refused.err.contains("level \"loud\" is none of"))
        }
    }

    @Test func `a reload names what is in force and what needs a restart`() async throws {
        try await FakeRuntime.with { runtime in
            #expect(await runtime.swiftlet("reload") == (0, "nothing has changed\n", ""))
            runtime.world.state.withLock {
                $0.reload = .with {
                    $0.applied = ["log_level"]
                    $0.needsRestart = ["socket", "root\u{1b}"]
                }
            }
            let shown = await runtime.swiftlet("reload")
            #expect(
                shown.out == """
                    log_level: in force
                    socket: needs a restart of the daemon
                    root?: needs a restart of the daemon

                    """)
            let tree = try JSONParser.parse(await runtime.swiftlet("reload", "-o", "json").out.utf8)
            #expect(tree["applied"] == .array([.string("log_level")]))
            guard case .array(let restart)? = tree["needsRestart"] else { throw Failure("no keys") }
            #expect(restart.count == 2)
        }
    }
}
