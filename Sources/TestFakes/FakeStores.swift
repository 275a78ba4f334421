import Foundation
import LaunchProtocol
import Lifecycle
import Model
import Synchronization

struct FakeRecords: RecordPort {
    let node: FakeNode

    var bootID: String { node.state.withLock { $0.bootID } }

    func save(_ record: PodRecord) async throws {
        try node.step("savePod")
        let data = try JSONEncoder().encode(record)
        node.state.withLock { $0.podRecords[record.id] = data }
    }

    func save(_ record: ContainerRecord) async throws {
        try node.step("saveContainer")
        let data = try JSONEncoder().encode(record)
        node.state.withLock { $0.containerRecords[record.id] = data }
    }

    func removePod(_ id: PodID) async throws {
        try node.step("removePodRecord")
        node.state.withLock { $0.podRecords[id] = nil }
    }

    func removeContainer(_ id: ContainerID) async throws {
        try node.step("removeContainerRecord")
        node.state.withLock { $0.containerRecords[id] = nil }
    }

    func load() async throws -> (pods: [PodRecord], containers: [ContainerRecord]) {
        try node.step("load")
        let (pods, containers) = node.state.withLock {
            (Array($0.podRecords.values), Array($0.containerRecords.values))
        }
        let decoder = JSONDecoder()
        return (
            try pods.map { try decoder.decode(PodRecord.self, from: $0) },
            try containers.map { try decoder.decode(ContainerRecord.self, from: $0) }
        )
    }

    func exitRecord(_ pod: PodID, process: String) async throws -> ExitRecord? {
        try node.step("exitRecord")
        return node.state.withLock { $0.exitRecords[pod.text + "/" + process] }
    }
}

struct FakeNetwork: NetworkPort {
    let node: FakeNode

    func attach(_ pod: PodID, config: PodConfig, cgroup: String) async throws -> NetworkAttachment {
        node.state.withLock { _ = $0.attachments.insert(pod) }
        try await node.state.withLock { $0.attachGate }?.value()
        try node.step("attach")
        return NetworkAttachment(addresses: ["10.0.0.2", "fd00::2"], pluginMicroseconds: 5)
    }

    func release(_ pod: PodID) async throws {
        try node.step("release")
        node.state.withLock { _ = $0.attachments.remove(pod) }
    }

    func unreadyReason() async -> String? { node.state.withLock { $0.networkUnready } }
    func attached() async throws -> [PodID] { node.state.withLock { Array($0.attachments) } }
}

struct FakeImages: ImagePort {
    let node: FakeNode

    func image(_ reference: String) async throws -> ResolvedImage {
        try node.step("image")
        guard let image = node.state.withLock({ $0.images[reference] }) else {
            throw Fault.notFound("no image \"\(reference)\"")
        }
        return image
    }

    func resolveUser(_ image: RuntimeImage, choice: UserChoice) async throws -> ResolvedUser {
        try node.step("resolveUser")
        return ResolvedUser(
            uid: choice.runAsUser ?? 0, gid: choice.runAsGroup ?? 0, supplementalGroups: choice.supplementalGroups,
            home: "/")
    }

    func copyUp(_ image: RuntimeImage, path: String, intoContainer container: ContainerID, directory: String)
        async throws
    {
        try node.step("copyUp")
    }

    func retain(_ image: RuntimeImage, for container: ContainerID) async throws {
        try node.step("retain")
        node.state.withLock { $0.retained[container] = image.id }
    }

    func release(_ container: ContainerID) async { node.state.withLock { $0.retained[container] = nil } }
}

struct FakeClock: ClockPort {
    let node: FakeNode

    func now() -> Int64 {
        node.state.withLock { state in
            state.now += 1000
            return state.now
        }
    }
}
