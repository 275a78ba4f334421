import Synchronization

/// What was on the node without anybody who would remove it: how often that was found, and how often it is gone again.
package final class LeakTally: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A pod that a daemon died making.
        case unfinishedPod = "unfinished_pod"
        case unfinishedContainer = "unfinished_container"
        /// A pod whose supervisor or init died: its processes, cgroups and network.
        case lostPod = "lost_pod"
        /// A pod whose release failed; the next stop or removal tries again.
        case unreleasedPod = "unreleased_pod"
        /// Files of a pod, or a network, without a record.
        case podWithoutRecord = "pod_without_record"
        case networkWithoutPod = "network_without_pod"
        case containerWithoutPod = "container_without_pod"
        case containerWithoutRecord = "container_without_record"
        /// A command whose client was an earlier daemon's.
        case execWithoutClient = "exec_without_client"
    }

    /// When it was found.
    package enum Moment: String, Sendable, CaseIterable { case recovery, running }

    package struct Count: Sendable, Equatable {
        package var kind: Kind
        package var moment: Moment
        package var found: UInt64 = 0
        package var mended: UInt64 = 0
    }

    private let state: Mutex<[Count]>

    package init() {
        state = Mutex(Kind.allCases.flatMap { kind in Moment.allCases.map { Count(kind: kind, moment: $0) } })
    }

    package func found(_ kind: Kind, _ moment: Moment) { change(kind, moment) { $0.found += 1 } }
    package func mended(_ kind: Kind, _ moment: Moment) { change(kind, moment) { $0.mended += 1 } }

    /// Found, and mended if `isMended`.
    package func note(_ kind: Kind, _ moment: Moment, isMended: Bool) {
        change(kind, moment) {
            $0.found += 1
            if isMended { $0.mended += 1 }
        }
    }

    /// One for each kind and moment, also those that never were.
    package var counts: [Count] { state.withLock { $0 } }

    private func change(_ kind: Kind, _ moment: Moment, _ body: (inout Count) -> Void) {
        state.withLock { counts in
            guard let index = counts.firstIndex(where: { $0.kind == kind && $0.moment == moment }) else { return }
            body(&counts[index])
        }
    }
}
