import CRIProto
import Lifecycle
import Model

extension CRIService {
    /// Informational in the CRI: kept with the sandbox, shown by verbose statuses.
    func updatePodSandboxResources(_ request: Runtime_V1_UpdatePodSandboxResourcesRequest) async throws
        -> Runtime_V1_UpdatePodSandboxResourcesResponse
    {
        let id = try Check.identifier(request.podSandboxID, "pod_sandbox_id")
        let overhead = request.hasOverhead ? try Translate.resources(request.overhead, "overhead") : nil
        let resources = request.hasResources ? try Translate.resources(request.resources, "resources") : nil
        try await runtime.updatePod(id, overhead: overhead, resources: resources)
        return Runtime_V1_UpdatePodSandboxResourcesResponse()
    }
}
