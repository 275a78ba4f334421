import CLICore
import CRIProto
import Foundation
import Play

/// A pod of the file, and what of it is there already.
struct PlannedPod: Sendable {
    let plan: PodPlan
    let adopted: AdoptedPod?
}

/// A pod that an earlier play has left running, as it is now.
struct AdoptedPod: Sendable {
    let id: String
    let ip: String
    /// How long ago it was made.
    let age: Duration
    let lock: PodLock
    /// Its end was asked for.
    let isEnding: Bool
    let containers: [FoundContainer]
    /// Attempt to id, by name.
    let made: [String: [Int: String]]
}

/// Finds which pods of a file are there already, and whether this process can go on with them.
struct PodTakeover: Sendable {
    let session: Session
    let stateDirectory: String
    let node: NodeFacts

    /// A plan for each pod of the file; nothing is made yet.
    ///
    /// Fails for pods that belong to others or are not what the file says; `replaces` removes those that are not driven by
    /// another process.
    func plan(_ manifest: Manifest, replaces: Bool) async throws -> [PlannedPod] {
        let there = try await session.playedPods()
        var planned: [PlannedPod] = []
        var removed: [Runtime_V1_PodSandbox] = []
        for pod in manifest.pods {
            let twins = there.filter { $0.metadata.name == pod.name && $0.metadata.namespace == pod.namespace }
            if replaces {
                for twin in twins { try refuseDriven(twin) }
                removed += twins
            } else if let twin = twins.first {
                guard twins.count == 1 else { throw Failure("\(Self.title(twin)) is there more than once\(Self.hint)") }
                planned.append(try await adopt(twin, pod, manifest))
                continue
            }
            planned += plan(pod, manifest, uid: UUID().uuidString.lowercased()).map { .init(plan: $0, adopted: nil) }
        }
        try await PlayRemoval(session: session, stateDirectory: stateDirectory).remove(removed)
        return planned
    }

    private func plan(_ pod: PodManifest, _ manifest: Manifest, uid: String) -> [PodPlan] {
        PodDirectory(state: stateDirectory, uid: uid).map {
            [
                PodPlan(
                    manifest: manifest, pod: pod, uid: uid, directory: $0, nodeMemoryBytes: node.memoryBytes,
                    nodeResolver: node.resolver)
            ]
        } ?? []
    }

    // MARK: - One pod

    private static func title(_ pod: Runtime_V1_PodSandbox) -> String {
        "pod \"\(pod.metadata.namespace)/\(pod.metadata.name)\""
    }

    private static let hint = ": --replace removes it and begins anew"

    private func directory(_ pod: Runtime_V1_PodSandbox) -> PodDirectory? {
        let directory = PodDirectory(state: stateDirectory, uid: pod.labels[PlayLabel.pod] ?? "")
        return directory?.exists == true ? directory : nil
    }

    @discardableResult
    private func refuseDriven(_ pod: Runtime_V1_PodSandbox) throws(Failure) -> PodLock? {
        guard let directory = directory(pod) else { return nil }
        if let lock = try directory.lock() { return lock }
        throw Failure("\(Self.title(pod)) is being played by another process")
    }

    private func adopt(
        _ pod: Runtime_V1_PodSandbox, _ spec: PodManifest, _ manifest: Manifest
    ) async throws -> PlannedPod {
        let title = Self.title(pod)
        guard let directory = directory(pod), let plan = plan(spec, manifest, uid: directory.uid).first else {
            throw Failure("\(title) was not made with --state-dir \"\(stateDirectory)\"\(Self.hint)")
        }
        guard let lock = try refuseDriven(pod) else {
            throw Failure("\(title) has lost its directory \"\(directory.path)\"\(Self.hint)")
        }
        guard pod.state == .sandboxReady else {
            throw Failure("\(title) is there already and has come to its end\(Self.hint)")
        }
        guard pod.annotations[PlayLabel.manifest] == plan.fingerprint else {
            throw Failure("\(title) runs and was made of another manifest\(Self.hint)")
        }
        let (containers, made) = try await self.containers(of: pod.id, directory)
        let adopted = AdoptedPod(
            id: pod.id, ip: try await session.podIP(pod.id), age: Self.age(pod.createdAt), lock: lock,
            isEnding: directory.isEnding,
            containers: containers, made: made)
        return PlannedPod(plan: plan, adopted: adopted)
    }

    private func containers(
        of pod: String, _ directory: PodDirectory
    ) async throws -> ([FoundContainer], [String: [Int: String]]) {
        var made: [String: [Int: String]] = [:]
        var statuses: [String: [Runtime_V1_ContainerStatus]] = [:]
        for container in try await session.playedContainers() where container.podSandboxID == pod {
            let status = try await session.containerStatus(container.id).status
            if status.state == .containerCreated {
                // The process was killed before it could start it: nothing ran.
                try await session.removeContainer(container.id)
                continue
            }
            made[container.metadata.name, default: [:]][Int(container.metadata.attempt)] = container.id
            statuses[container.metadata.name, default: []].append(status)
        }
        let found = statuses.compactMap { name, all -> FoundContainer? in
            let sorted = all.sorted { $0.metadata.attempt > $1.metadata.attempt }
            guard let last = sorted.first else { return nil }
            let attempt = Int(last.metadata.attempt)
            let end = { (status: Runtime_V1_ContainerStatus) in
                Termination(status, said: directory.readMessage(name, Int(status.metadata.attempt)))
            }
            return FoundContainer(
                name: name, attempt: attempt, restarts: Self.count(last.annotations[PlayLabel.restarts]) ?? attempt,
                state: last.state == .containerRunning
                    ? .running : .ended(end(last), age: Self.age(last.finishedAt)),
                runAge: Self.age(last.startedAt), previousEnd: sorted.dropFirst().first.map(end))
        }
        return (found, made)
    }

    /// A number of restarts; nil for a text that is none.
    private static func count(_ text: String?) -> Int? {
        text.flatMap { Int32($0) }.flatMap { $0 < 0 ? nil : Int($0) }
    }

    /// How long ago something was, in nanoseconds since 1970; zero for what is not said or lies ahead.
    private static func age(_ nanoseconds: Int64) -> Duration {
        guard nanoseconds > 0 else { return .zero }
        return max(.zero, .seconds(Date.now.timeIntervalSince1970) - .nanoseconds(nanoseconds))
    }
}

extension Termination {
    /// How a container ended, as the runtime tells it and with what the container said itself.
    init(_ status: Runtime_V1_ContainerStatus, said: String) {
        self.init(
            exitCode: status.exitCode, reason: status.reason.isEmpty ? "Error" : status.reason,
            message: said.isEmpty ? status.message : said, startedAt: status.startedAt, finishedAt: status.finishedAt)
    }
}
