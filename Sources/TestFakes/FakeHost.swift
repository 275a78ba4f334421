import Lifecycle
import Model
import Synchronization
import Planner
import Seccomp

struct FakeHost: HostPort {
    let node: FakeNode

    func makePod(_ record: PodRecord) async throws {
        node.state.withLock { _ = $0.podDirectories.insert(record.id) }
        try node.step("makePod")
    }

    func removePod(_ id: PodID) async throws {
        try node.step("removePod")
        node.state.withLock { _ = $0.podDirectories.remove(id) }
    }

    func releasePod(_ id: PodID) async throws { try node.step("releasePod") }

    func makeContainer(_ record: ContainerRecord) async throws {
        node.state.withLock { _ = $0.containerDirectories.insert(record.id) }
        try node.step("makeContainer")
    }

    func removeContainer(_ id: ContainerID) async throws {
        try node.step("removeContainer")
        node.state.withLock { _ = $0.containerDirectories.remove(id) }
    }

    func leftovers() async throws -> (pods: [PodID], containers: [ContainerID]) {
        node.state.withLock { (Array($0.podDirectories), Array($0.containerDirectories)) }
    }

    func complete(_ facts: ContainerFacts, for config: ContainerConfig) async throws -> ContainerFacts { facts }
    func setOOMScoreAdj(pid: Int32, cgroup: String, value: Int64) async throws { try node.step("setOOMScoreAdj") }
    var layout: any LayoutPort { FakeLayout() }
}

struct FakeLayout: LayoutPort {
    func networkNamespace(_ pod: PodID) -> String { "/state/\(pod)/netns" }
    func sharedMemory(_ pod: PodID) -> String { "/state/\(pod)/shm" }
    func hostsFile(_ pod: PodID) -> String { "/root/\(pod)/hosts" }
    func hostnameFile(_ pod: PodID) -> String { "/root/\(pod)/hostname" }
    func resolvConfFile(_ pod: PodID) -> String { "/root/\(pod)/resolv.conf" }
    func anchor(_ pod: PodID) -> String { "/state/\(pod)/root" }
    func volume(_ container: ContainerID, directory: String) -> String { "/root/\(container)/\(directory)" }

    func overlay(_ container: ContainerID) -> OverlayLayout {
        OverlayLayout(
            directory: "/root", layerPrefix: "layers/", upper: "\(container)/upper", work: "\(container)/work",
            mountPoints: "mount-points")
    }
}
