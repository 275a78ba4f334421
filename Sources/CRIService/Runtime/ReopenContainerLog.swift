import CRIProto
import Lifecycle
import Model

extension CRIService {
    func reopenContainerLog(_ request: Runtime_V1_ReopenContainerLogRequest) async throws
        -> Runtime_V1_ReopenContainerLogResponse
    {
        try await runtime.reopenLog(try Check.identifier(request.containerID, "container_id"))
        return Runtime_V1_ReopenContainerLogResponse()
    }
}
