import CLICore
import CRIProto
import SwiftProtobuf

extension Session {
    /// The pod's address; empty in the node's network.
    func podIP(_ id: String) async throws -> String {
        try await runtime.call(
            CRIMethods.podSandboxStatus, .with { $0.podSandboxID = id }, within: quick, patience: patience,
            to: "look up pod \"\(id)\""
        ).status.network.ip
    }

    /// Pulls an image without drawing anything.
    func pullQuietly(
        _ name: String, credentials: Runtime_V1_AuthConfig?, pod: Runtime_V1_PodSandboxConfig
    ) async throws -> String {
        let request = Runtime_V1_PullImageRequest.with {
            $0.image.image = name
            if let credentials { $0.auth = credentials }
            $0.sandboxConfig = pod
        }
        return try await images.call(CRIMethods.pullImage, request, within: nil, to: "pull \"\(name)\"").imageRef
    }

    /// The pods that `play` made.
    func playedPods() async throws -> [Runtime_V1_PodSandbox] {
        let response = try await runtime.call(
            CRIMethods.listPodSandbox, .init(), within: quick, patience: patience, to: "list pods")
        return response.items.filter { $0.labels[PlayLabel.pod] != nil }
    }

    /// The containers of those pods.
    func playedContainers() async throws -> [Runtime_V1_Container] {
        let response = try await runtime.call(
            CRIMethods.listContainers, .init(), within: quick, patience: patience, to: "list containers")
        return response.containers.filter { $0.labels[PlayLabel.pod] != nil }
    }
}
