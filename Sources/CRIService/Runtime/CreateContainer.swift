import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    func createContainer(_ request: Runtime_V1_CreateContainerRequest) async throws
        -> Runtime_V1_CreateContainerResponse
    {
        let pod = try Check.identifier(request.podSandboxID, "pod_sandbox_id")
        let config = try Translate.container(Check.present(request.hasConfig, request.config, "config"))
        // A copy of what RunPodSandbox had: the sandbox's own record decides, but a broken copy is a broken request.
        if request.hasSandboxConfig, request.sandboxConfig.hasMetadata {
            do {
                _ = try Translate.pod(request.sandboxConfig, handler: "")
            } catch {
                throw Fault(error.code, "sandbox_\(error.message)")
            }
        }
        let id = try await runtime.createContainer(inPod: pod, config: config)
        return .with { $0.containerID = id.text }
    }
}
