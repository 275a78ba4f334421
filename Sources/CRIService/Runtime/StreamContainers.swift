import CRIProto
import GRPC
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    /// The same answer as the list, an item a message, so that no limit of a message applies.
    func streamContainers(
        _ request: Runtime_V1_StreamContainersRequest, _ writer: ResponseWriter<Runtime_V1_StreamContainersResponse>
    ) async throws {
        for container in try Filter.containers(request.hasFilter ? request.filter : nil, in: runtime.inventory) {
            try await writer.write(.with { $0.containers = [Present.item(container)] })
        }
    }
}
