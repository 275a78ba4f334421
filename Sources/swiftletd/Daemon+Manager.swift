import Foundation
import Lifecycle
import Linux
import Logging

extension Daemon {
    /// Finds out whether a service manager listens, and says that the start is under way.
    func greetManager(_ log: Logger) async -> ServiceManager {
        let manager = ServiceManager(
            environment: ProcessInfo.processInfo.environment, process: CurrentProcess.pid)
        for problem in manager.problems { log.warning("service manager", metadata: ["problem": "\(problem)"]) }
        await manager.tell(.status("recovering"), log)
        return manager
    }

    /// Says that calls are answered, and keeps the manager informed until the task is cancelled.
    func beginHeartbeat(_ manager: ServiceManager, _ runtime: Runtime, _ log: Logger) async -> Task<Void, Never> {
        let heartbeat = Heartbeat(
            manager: manager, socket: config.socket, status: { Self.summary(runtime.inventory) }, log: log)
        await manager.tell(.ready(status: Self.summary(runtime.inventory)), log)
        return Task { await heartbeat.run() }
    }

    /// What the daemon has to do, for people.
    static func summary(_ inventory: Inventory) -> String {
        let pods = inventory.pods().count { $0.isReady }
        let containers = inventory.containers().count { if case .running = $0.state { true } else { false } }
        return "\(pods) pod\(pods == 1 ? "" : "s"), \(containers) container\(containers == 1 ? "" : "s") running"
    }
}
