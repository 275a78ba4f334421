import CRIProto
import Lifecycle
import Model

extension CRIService {
    func startContainer(_ request: Runtime_V1_StartContainerRequest) async throws -> Runtime_V1_StartContainerResponse {
        try await runtime.startContainer(try Check.identifier(request.containerID, "container_id"))
        return Runtime_V1_StartContainerResponse()
    }
}
