package import Logging
import Model

/// Everything that the lifecycle needs from outside, in one place.
package struct Ports: Sendable {
    package var supervisors: any SupervisorPort
    package var cgroups: any CgroupPort
    package var records: any RecordPort
    package var network: any NetworkPort
    package var images: any ImagePort
    package var host: any HostPort
    package var clock: any ClockPort
    package var log: Logger
    /// Where operations run: nil = the tasks' own threads. The daemon's may block, so that a file is written where one is.
    package var executor: (any TaskExecutor)?
    /// Where leaks are counted.
    package let leaks: LeakTally

    package init(
        supervisors: any SupervisorPort, cgroups: any CgroupPort, records: any RecordPort, network: any NetworkPort,
        images: any ImagePort, host: any HostPort, clock: any ClockPort, log: Logger,
        executor: (any TaskExecutor)? = nil, leaks: LeakTally = LeakTally()
    ) {
        self.supervisors = supervisors
        self.cgroups = cgroups
        self.records = records
        self.network = network
        self.images = images
        self.host = host
        self.clock = clock
        self.log = log
        self.executor = executor
        self.leaks = leaks
    }

    /// Carries out a step of clean-up whose failure must not stop the others: logs it and says whether it worked.
    func bestEffort(_ what: String, _ body: @escaping @Sendable (Ports) async throws -> Void) async -> (any Error)? {
        do {
            try await body(self)
            return nil
        } catch {
            log.warning("clean-up step failed", metadata: ["step": "\(what)", "error": "\(error)"])
            return error
        }
    }
}

extension Error {
    /// This error as a `Fault`: itself if it is one, else internal with the operation in front.
    func fault(_ operation: String) -> Fault {
        if let fault = self as? Fault { return fault }
        return Fault(.internal, operation, cause: "\(self)")
    }
}
