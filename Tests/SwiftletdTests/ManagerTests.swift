import CRIProto
import Foundation
import GRPC
import Linux
import Logging
import Synchronization
import TestKit
import Testing

@testable import swiftletd

@Suite(.timeLimit(.minutes(2))) struct ServiceManagerTests {
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test func `messages are the lines of sd_notify`() {
        #expect(ManagerMessage.status("recovering").text == "STATUS=recovering")
        #expect(ManagerMessage.ready(status: "2 pods").text == "READY=1\nSTATUS=2 pods")
        #expect(ManagerMessage.reloading(monotonicMicroseconds: 17).text.hasPrefix("RELOADING=1\nMONOTONIC_USEC=17\n"))
        #expect(ManagerMessage.stopping(status: "ending").text == "STOPPING=1\nSTATUS=ending")
        #expect(ManagerMessage.alive.text == "WATCHDOG=1")
    }

    @Test func `a status stays one line of bounded length, whatever is in it`() {
        #expect(ManagerMessage.status("a\nREADY=1\u{0}\u{7f}b").text == "STATUS=a READY=1  b")
        let long = ManagerMessage.status(String(repeating: "\u{1F600}", count: 1000)).text
        #expect(long.utf8.count == "STATUS=".utf8.count + 512)
        #expect(long.allSatisfy { $0 != "\u{fffd}" })
    }

    @Test func `without the variable nobody is told, and there is no watchdog`() async {
        let manager = ServiceManager(environment: [:], process: 1)
        #expect(manager.address == nil && manager.watchdog == nil && manager.problems.isEmpty)
        await manager.tell(.alive, quiet)
    }

    @Test func `names are paths or abstract names that fit`() {
        func manager(_ name: String) -> ServiceManager {
            ServiceManager(environment: ["NOTIFY_SOCKET": name], process: 1)
        }
        #expect(manager("/run/notify").address == Array("/run/notify".utf8))
        #expect(manager("@a/b").address == [0] + Array("a/b".utf8))
        let longest = "/" + String(repeating: "x", count: 107)
        #expect(manager(longest).address?.count == 108)
        for bad in ["", "/", "@", "run/notify", "vsock:2:1", longest + "x"] {
            #expect(manager(bad).address == nil, "\(bad)")
            #expect(manager(bad).problems.count == 1, "\(bad)")
        }
    }

    @Test func `a watchdog counts only if it is meant for this process`() {
        func watchdog(_ environment: [String: String]) -> Duration? {
            ServiceManager(environment: environment, process: 42).watchdog
        }
        #expect(watchdog(["WATCHDOG_USEC": "3000000"]) == .seconds(3))
        #expect(watchdog(["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "42"]) == .seconds(3))
        #expect(watchdog(["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "43"]) == nil)
        #expect(watchdog(["WATCHDOG_USEC": "1"]) == .milliseconds(20))
        for bad in ["", "0", "-5", "3s", "99999999999999999999"] { #expect(watchdog(["WATCHDOG_USEC": bad]) == nil) }
        #expect(ServiceManager(environment: ["WATCHDOG_USEC": "3s"], process: 42).problems.count == 1)
    }

    @Test(arguments: [true, false]) func `a message arrives as one datagram`(isAbstract: Bool) async throws {
        let root = try TemporaryRoot()
        let name = isAbstract ? "@swiftlet-test-\(UUID().uuidString)" : root.path("notify")
        let receiver = try DatagramReceiver(name)
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": name], process: 1)
        await manager.tell(.ready(status: "1 pod"), quiet)
        #expect(try await receiver.wait(for: "READY=1") == "READY=1\nSTATUS=1 pod")
    }

    @Test func `a manager that is gone is no failure, and is logged`() async throws {
        let root = try TemporaryRoot()
        let lines = LogLines()
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": root.path("none")], process: 1)
        await manager.tell(.ready(status: ""), lines.logger)
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.contains("message=READY=1") == true)
    }

    // MARK: - The heartbeat

    @Test func `signs of life follow on answers of Status over the socket`() async throws {
        let root = try TemporaryRoot()
        let calls = Mutex(0)
        let server = try await GRPCServer.start(
            [
                .unary(CRIMethods.status.path) { (_: Runtime_V1_StatusRequest, _) -> Runtime_V1_StatusResponse in
                    calls.withLock { $0 += 1 }
                    return .init()
                }
            ], at: .unix(path: root.path("cri"), mode: 0o600, userID: getuid(), groupID: getgid()))
        let receiver = try DatagramReceiver(root.path("notify"))
        let beat = Task { await heartbeat(root, watchdog: "200000", quiet).run() }
        for count in 1...3 {
            try await receiver.wait(for: "WATCHDOG=1")
            #expect(calls.withLock { $0 } >= count)
        }
        #expect(receiver.all.contains("STATUS=3 pods"))
        beat.cancel()
        await beat.value
        await server.shutdown(grace: .seconds(5))
    }

    @Test func `a daemon that does not answer itself gives no sign of life until it does`() async throws {
        let root = try TemporaryRoot()
        let gate = Gate()
        let server = try await GRPCServer.start(
            [
                .unary(CRIMethods.status.path) { (_: Runtime_V1_StatusRequest, _) -> Runtime_V1_StatusResponse in
                    await gate.wait()
                    return .init()
                }
            ], at: .unix(path: root.path("cri"), mode: 0o600, userID: getuid(), groupID: getgid()))
        let receiver = try DatagramReceiver(root.path("notify"))
        let lines = LogLines()
        let beat = Task { await heartbeat(root, watchdog: "200000", lines.logger).run() }
        // Two warnings: it was tried anew, and nothing was sent in between.
        await lines.wait(for: 2)
        #expect(!receiver.all.contains("WATCHDOG=1"))
        #expect(lines.all.allSatisfy { $0.contains("Status") })
        gate.open()
        try await receiver.wait(for: "WATCHDOG=1")
        #expect(receiver.all.filter { $0 == "WATCHDOG=1" }.count == 1)
        beat.cancel()
        await beat.value
        await server.shutdown(grace: .seconds(5))
    }

    @Test func `where nobody listens on the daemon's socket there is no sign of life`() async throws {
        let root = try TemporaryRoot()
        let receiver = try DatagramReceiver(root.path("notify"))
        let lines = LogLines()
        let beat = Task { await heartbeat(root, watchdog: "200000", lines.logger).run() }
        await lines.wait(for: 2)
        beat.cancel()
        await beat.value
        receiver.end()
        await #expect(throws: TestFailure.self) { try await receiver.wait(for: "WATCHDOG=1") }
        #expect(receiver.all == ["STATUS=3 pods"])
    }

    private func heartbeat(_ root: TemporaryRoot, watchdog: String, _ log: Logger) -> Heartbeat {
        Heartbeat(
            manager: ServiceManager(
                environment: ["NOTIFY_SOCKET": root.path("notify"), "WATCHDOG_USEC": watchdog], process: 1),
            socket: root.path("cri"), status: { "3 pods" }, log: log)
    }
}
