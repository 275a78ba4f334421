import CRIProto
import Lifecycle
import Model

extension CRIService {
    func updateContainerResources(_ request: Runtime_V1_UpdateContainerResourcesRequest) async throws
        -> Runtime_V1_UpdateContainerResourcesResponse
    {
        let id = try Check.identifier(request.containerID, "container_id")
        guard !request.hasWindows else { throw Fault.invalid("windows: this is a Linux node") }
        try Check.map(request.annotations, "annotations")
        guard request.hasLinux else { throw Fault.invalid("linux: missing") }
        try await runtime.update(id, resources: try Translate.resources(request.linux, "linux"))
        return Runtime_V1_UpdateContainerResourcesResponse()
    }
}
