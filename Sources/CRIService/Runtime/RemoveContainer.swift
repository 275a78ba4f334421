import CRIProto
import Lifecycle
import Model

extension CRIService {
    /// Idempotent: an unknown container is a removed one.
    func removeContainer(_ request: Runtime_V1_RemoveContainerRequest) async throws
        -> Runtime_V1_RemoveContainerResponse
    {
        try await runtime.removeContainer(try Check.identifier(request.containerID, "container_id"))
        return Runtime_V1_RemoveContainerResponse()
    }
}
