import CRIProto
import Lifecycle
import Model

extension CRIService {
    /// Idempotent: an unknown sandbox is a removed one.
    func removePodSandbox(_ request: Runtime_V1_RemovePodSandboxRequest) async throws
        -> Runtime_V1_RemovePodSandboxResponse
    {
        try await runtime.removePod(try Check.identifier(request.podSandboxID, "pod_sandbox_id"))
        return Runtime_V1_RemovePodSandboxResponse()
    }
}
