import Linux
import Logging
import Model

/// Reads the configuration again, whoever asks for it, and says what came of it: to the log, and to the service manager.
struct Reloading: Sendable {
    let configuration: LiveConfiguration
    let manager: ServiceManager
    /// What the daemon does, in a few words.
    let status: @Sendable () -> String
    let pool: BlockingPool
    let log: Logger

    /// A file that is refused leaves everything as it was.
    func run() async -> Result<LiveConfiguration.Reloaded, any Error> {
        await manager.tell(.reloading(monotonicMicroseconds: Clock.monotonicNanoseconds / 1000), log)
        do {
            let reloaded = try await pool.run { [configuration] in try configuration.reload() }
            let keys = { (names: [String]) in names.isEmpty ? "none" : names.joined(separator: ",") }
            log.notice(
                "configuration read again",
                metadata: [
                    "applied": "\(keys(reloaded.applied))", "needs_restart": "\(keys(reloaded.needsRestart))",
                ])
            await manager.tell(.ready(status: status()), log)
            return .success(reloaded)
        } catch {
            log.error(
                "the configuration is refused, and the one before stays in force", metadata: ["error": "\(error)"])
            await manager.tell(.ready(status: status() + "; refused at the last reload: \(error)"), log)
            return .failure(error)
        }
    }

    /// Reloads for each arrival of SIGHUP; those that come while one is under way count as one.
    func run(for arrivals: AsyncStream<Int32>) async {
        for await _ in arrivals { _ = await run() }
    }
}
