import CLICore
import CRIProto

/// Takes away pods that `play` made, whether it still runs or not: they are found by their labels.
struct PlayRemoval: Sendable {
    let session: Session
    let stateDirectory: String

    /// Stops and removes pods, each in its own time; one that fails does not stop the others.
    func remove(_ pods: [Runtime_V1_PodSandbox]) async throws {
        let byID = Dictionary(pods.map { ($0.id, $0) }) { $1 }
        try await session.forEach(pods.map(\.id)) { id in
            guard let pod = byID[id] else { return }
            let grace = min(max(0, Int64(pod.annotations[PlayLabel.grace] ?? "") ?? 30), 86_400)
            try await stopContainers(of: id, grace: grace)
            try await session.stopPod(id)
            try await session.removePod(id)
            if let directory = PodDirectory(state: stateDirectory, uid: pod.labels[PlayLabel.pod] ?? "") {
                try directory.remove()
            }
            try session.console.line("Removed pod \(printable("\(pod.metadata.namespace)/\(pod.metadata.name)"))")
        }
    }

    /// Removes what plays that were killed have left on the disk of pods that are gone. What another process holds, or
    /// another runtime may have, stays.
    func removeLeftovers() async throws {
        let runtime = session.runtime.endpoint.description
        let left = try PodDirectory.all(in: stateDirectory).filter { $0.runtime == runtime }
        guard !left.isEmpty else { return }
        // Locked before the pods are listed: who makes a pod holds the lock until it is there.
        let mine = left.compactMap { directory -> (PodDirectory, PodLock)? in
            var lock: PodLock?
            bestEffort { lock = try directory.lock() }
            return lock.map { (directory, $0) }
        }
        let there = Set(try await session.playedPods().compactMap { $0.labels[PlayLabel.pod] })
        for (directory, lock) in mine where !there.contains(directory.uid) {
            try directory.remove()
            withExtendedLifetime(lock) {}
        }
    }

    /// The main containers first, then the sidecars, the last first.
    private func stopContainers(of pod: String, grace: Int64) async throws {
        let running = try await session.playedContainers().filter {
            $0.podSandboxID == pod && $0.state == .containerRunning
        }
        let main = running.filter { Int($0.labels[PlayLabel.order] ?? "") == nil }
        try await session.forEach(main.map(\.id)) { try await session.stopContainer($0, grace: grace) }
        let sidecars = running.compactMap { container in
            Int(container.labels[PlayLabel.order] ?? "").map { (order: $0, id: container.id) }
        }
        for sidecar in sidecars.sorted(by: { $0.order > $1.order }) {
            try await session.stopContainer(sidecar.id, grace: grace)
        }
    }
}
