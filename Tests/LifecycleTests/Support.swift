import LaunchProtocol
import Lifecycle
import Model
import Planner
import TestFakes

/// A runtime on a node in memory, with one image.
struct Bench {
    let node = FakeNode()
    let runtime: Runtime

    init(node existing: FakeNode? = nil) {
        let node = existing ?? self.node
        node.addImage("busybox")
        runtime = Runtime(ports: node.ports, settings: node.settings)
        node.deliver(to: runtime)
    }

    static func pod(_ name: String = "web", attempt: UInt32 = 0, change: (inout PodConfig) -> Void = { _ in })
        -> PodConfig
    {
        var config = PodConfig(
            metadata: PodMetadata(name: name, uid: "u-" + name, namespace: "default", attempt: attempt))
        config.namespaces.pid = .container
        change(&config)
        return config
    }

    static func container(
        _ name: String = "main", image: String = "busybox", change: (inout ContainerConfig) -> Void = { _ in }
    ) -> ContainerConfig {
        var config = ContainerConfig(metadata: ContainerMetadata(name: name, attempt: 0), image: image)
        config.security.namespaces.pid = .container
        change(&config)
        return config
    }

    func runPod(_ name: String = "web") async throws -> PodID {
        try await runtime.runPod(Self.pod(name), hostname: "web")
    }

    /// A running container in a new pod.
    func runContainer() async throws -> (PodID, ContainerID) {
        let pod = try await runPod()
        let container = try await runtime.createContainer(inPod: pod.text, config: Self.container())
        try await runtime.startContainer(container.text)
        return (pod, container)
    }

    func container(_ id: ContainerID) throws -> ContainerSnapshot? { try runtime.inventory.container(named: id.text) }
}
