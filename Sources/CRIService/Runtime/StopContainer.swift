import CRIProto
import Lifecycle
import Model

extension CRIService {
    /// Idempotent: an unknown container is a stopped one. A timeout below zero counts as zero, as other runtimes have it.
    func stopContainer(_ request: Runtime_V1_StopContainerRequest) async throws -> Runtime_V1_StopContainerResponse {
        let id = try Check.identifier(request.containerID, "container_id")
        let timeout = Duration.seconds(min(max(request.timeout, 0), Check.secondsMax))
        try await runtime.stopContainer(id, timeout: timeout)
        return Runtime_V1_StopContainerResponse()
    }
}
