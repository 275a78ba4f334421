package import LaunchProtocol
import Model

/// What recovery makes of a record and of what a supervisor says. Pure: the start of a daemon acts by it, and a look ahead
/// (`swiftletd --dry-run`) tells by it what a start would do.
package enum RecoveryDecision {
    /// What becomes of a pod.
    package enum PodOutcome: Sendable, Equatable {
        /// It was half made: what there is of it is removed.
        case undone
        /// Its supervisor answers.
        case ready
        /// It was stopped before.
        case stopped
        /// Its supervisor, its init or its boot is gone.
        case lost
    }

    /// Whether a pod's supervisor may live, and is asked.
    package static func mayLive(_ record: PodRecord, bootID: String) -> Bool {
        record.phase == .ready && record.bootID == bootID
    }

    /// What of a supervisor's answer counts: without its init a pod is over.
    package static func living(_ processes: [ProcessState]?) -> [ProcessState]? {
        let isInitOver = processes?.contains { $0.kind == .podInit && $0.phase == .exited } ?? false
        return isInitOver ? nil : processes
    }

    /// - Parameter processes: what counts of the supervisor's answer; nil without one.
    package static func outcome(of record: PodRecord, processes: [ProcessState]?) -> PodOutcome {
        switch record.phase {
        case .creating: .undone
        case .ready: processes == nil ? .lost : .ready
        case .stopped: .stopped
        }
    }

    /// Whether the supervisor's exit record of a container is to be read: it was started, and nobody answers for it.
    package static func needsExitRecord(_ record: ContainerRecord, processes: [ProcessState]?) -> Bool {
        record.phase == .started && process(of: record, processes) == nil
    }

    /// The state of a container; one in phase `creating` is undone whatever this says.
    ///
    /// - Parameters:
    ///   - exitRecord: where it is needed and there is one.
    ///   - sameBoot: the pod's supervisor was started during this boot.
    ///   - now: the time of an end that nobody saw.
    package static func state(
        of record: ContainerRecord, processes: [ProcessState]?, exitRecord: ExitRecord?, sameBoot: Bool, now: Int64
    ) -> ContainerMachine.State {
        func lost(_ reason: String, _ message: String) -> ContainerMachine.State {
            .exited(
                ContainerExit(
                    code: 255, reason: reason, message: message, startedAt: record.createdAt, finishedAt: now))
        }
        switch record.phase {
        case .creating, .created: return .created
        case .exited: return record.exit.map { .exited($0) } ?? lost("Unknown", "no record of its end")
        case .started: break
        }
        if let process = process(of: record, processes) {
            if let exit = process.exit { return .exited(ContainerController.exit(of: exit)) }
            return .running(.init(pid: process.pid, startedAt: process.startedAtNanoseconds))
        }
        if let exitRecord { return .exited(ContainerController.exit(of: exitRecord)) }
        // The supervisor lives and does not know it: the request never arrived, so nothing has run.
        if processes != nil { return .created }
        return sameBoot
            ? lost("SupervisorLost", "the pod's supervisor died while no daemon ran")
            : lost("Unknown", "the node was restarted")
    }

    private static func process(of record: ContainerRecord, _ processes: [ProcessState]?) -> ProcessState? {
        processes?.first { $0.process == Array(record.id.text.utf8) }
    }
}
