import CRIProto
import GRPC
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    /// The same answer as the list, an item a message.
    func streamContainerStats(
        _ request: Runtime_V1_StreamContainerStatsRequest,
        _ writer: ResponseWriter<Runtime_V1_StreamContainerStatsResponse>
    ) async throws {
        let containers = try Filter.containers(request.hasFilter ? request.filter : nil, in: runtime.inventory)
        for reading in try await readings(of: containers) {
            try await writer.write(.with { $0.containerStats = [reading] })
        }
    }
}
