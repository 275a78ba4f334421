import CRIProto
import GRPC
import Logging

/// Keeps the service manager informed while the daemon serves: what it has to do, and, where a watchdog waits, that it works.
///
/// A sign of life is given only after a real `Status` call came back over the daemon's own socket: through listener, event
/// loop, threads and runtime, as a kubelet's goes. A connection is made for each call, so that accepting one is tried too.
struct Heartbeat: Sendable {
    let manager: ServiceManager
    let socket: String
    /// What the daemon does, in a few words.
    let status: @Sendable () -> String
    let log: Logger

    /// How often the status is told where no watchdog waits.
    private static let quietInterval = Duration.seconds(10)

    /// Until cancelled. A manager that does not listen needs nothing of it.
    func run() async {
        guard manager.address != nil else { return }
        var told = ""
        while !Task.isCancelled {
            guard await pause(manager.watchdog.map { $0 / 2 } ?? Self.quietInterval) else { return }
            let now = status()
            if now != told { await manager.tell(.status(now), log) }
            told = now
            guard let watchdog = manager.watchdog else { continue }
            // The first try ends at three quarters of the manager's patience, so that one more fits.
            while let reason = await silence(within: watchdog / 4) {
                if Task.isCancelled { return }
                log.warning(
                    "no sign of life for the service manager: the daemon does not answer itself",
                    metadata: ["error": "\(reason)", "watchdog_seconds": "\(watchdog / .seconds(1))"])
                guard await pause(watchdog / 20) else { return }
            }
            await manager.tell(.alive, log)
        }
    }

    /// Why `Status` was not answered in time; nil if it was.
    private func silence(within limit: Duration) async -> String? {
        var configuration = GRPCClientConfiguration()
        configuration.connectTimeout = limit
        configuration.userAgent = "swiftletd-watchdog"
        let client: GRPCClient
        do {
            client = try await GRPCClient(unixPath: socket, configuration: configuration)
        } catch { return "connect: \(error)" }
        var reason: String?
        do {
            _ = try await client.unary(
                CRIMethods.status.path, Runtime_V1_StatusRequest(), as: Runtime_V1_StatusResponse.self, timeout: limit)
        } catch { reason = "Status: \(error)" }
        await client.close()
        return reason
    }

    /// False when cancelled.
    private func pause(_ time: Duration) async -> Bool {
        do {
            try await Task.sleep(for: time)
            return true
        } catch { return false }
    }
}
