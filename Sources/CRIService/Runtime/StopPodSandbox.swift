import CRIProto
import Lifecycle
import Model

extension CRIService {
    /// Idempotent: an unknown sandbox is a stopped one.
    func stopPodSandbox(_ request: Runtime_V1_StopPodSandboxRequest) async throws -> Runtime_V1_StopPodSandboxResponse {
        try await runtime.stopPod(try Check.identifier(request.podSandboxID, "pod_sandbox_id"))
        return Runtime_V1_StopPodSandboxResponse()
    }
}
