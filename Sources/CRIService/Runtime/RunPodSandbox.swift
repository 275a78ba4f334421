import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    func runPodSandbox(_ request: Runtime_V1_RunPodSandboxRequest) async throws -> Runtime_V1_RunPodSandboxResponse {
        let config = try Translate.pod(
            Check.present(request.hasConfig, request.config, "config"), handler: request.runtimeHandler)
        // With host network the UTS namespace is the node's, and so is its name.
        let hostname =
            config.namespaces.network == .node || config.hostname.isEmpty ? identity.nodeHostname : config.hostname
        let id = try await runtime.runPod(config, hostname: config.hostname.isEmpty ? hostname : config.hostname)
        return .with { $0.podSandboxID = id.text }
    }
}
