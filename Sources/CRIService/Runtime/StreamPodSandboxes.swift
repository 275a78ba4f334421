import CRIProto
import GRPC
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    /// The same answer as the list, an item a message, so that no limit of a message applies.
    func streamPodSandboxes(
        _ request: Runtime_V1_StreamPodSandboxesRequest, _ writer: ResponseWriter<Runtime_V1_StreamPodSandboxesResponse>
    ) async throws {
        for pod in try Filter.pods(request.hasFilter ? request.filter : nil, in: runtime.inventory) {
            try await writer.write(.with { $0.podSandboxes = [Present.item(pod)] })
        }
    }
}
