import CRIProto
import Foundation
import GRPC
import TestKit

extension Node {
    /// The running daemon, by the number that this process sees.
    func daemonProcess() -> Int32? {
        let namespace = Processes.link(initProcess, "ns/pid")
        return Processes.all().first {
            Processes.name($0) == "swiftletd" && Processes.link($0, "ns/pid") == namespace && !Processes.isZombie($0)
        }
    }

    var daemonLog: String { path(root + "/daemon.log") }
    var configuration: String { root + "/config.toml" }

    /// Ends the daemon by a signal and returns when it is gone.
    func endDaemon(_ signal: Int32 = SIGKILL) async throws {
        guard let daemon = daemonProcess() else { throw TestFailure("no daemon runs") }
        await disconnect()
        guard kill(daemon, signal) == 0 else { throw TestFailure("kill \(daemon): errno \(errno)") }
        try await eventually("the daemon ends") { Processes.isOver(daemon) }
    }

    /// Starts the daemon anew, or another program in its place, and returns when it answers.
    func startDaemon(
        _ program: String = Node.binaries + "/swiftletd", environment: [String: String] = [:]
    ) async throws {
        let assignments = environment.map { "\($0.key)=\($0.value)" }
        _ = try Commands.start(
            inside(["env"] + assignments + [program, "--config", configuration]), stdout: daemonLog, stderr: daemonLog)
        try await awaitDaemon()
    }

    func restartDaemon() async throws {
        try await endDaemon()
        try await startDaemon()
    }

    /// Returns when the daemon has recovered and answers.
    func awaitDaemon() async throws {
        await disconnect()
        try await eventually("the daemon answers", within: .seconds(120)) {
            do {
                _ = try await self.call(CRIMethods.version, .init())
                return true
            } catch is ConnectError {
                return false
            } catch let status as GRPCStatus where status.code == .unavailable {
                await self.disconnect()
                return false
            }
        }
    }
}
