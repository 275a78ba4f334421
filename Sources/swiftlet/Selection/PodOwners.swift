import CLICore
import CRIProto

/// Names and namespaces of the pods that containers belong to: from the kubelet's labels, else from the list of pods.
struct PodOwners {
    private var pods: [String: Runtime_V1_PodSandboxMetadata] = [:]

    /// Asks for the pods only if a container lacks the labels.
    init(of containers: [Runtime_V1_Container], _ session: Session) async throws {
        let isLabelled = { (container: Runtime_V1_Container) in
            container.labels[PodLabel.name] != nil && container.labels[PodLabel.namespace] != nil
        }
        guard !containers.allSatisfy(isLabelled) else { return }
        for pod in try await session.pods() { pods[pod.id] = pod.metadata }
    }

    func name(of container: Runtime_V1_Container) -> String? {
        container.labels[PodLabel.name] ?? pods[container.podSandboxID]?.name
    }

    func namespace(of container: Runtime_V1_Container) -> String? {
        container.labels[PodLabel.namespace] ?? pods[container.podSandboxID]?.namespace
    }
}
