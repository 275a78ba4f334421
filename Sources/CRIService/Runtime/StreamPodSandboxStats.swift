import CRIProto
import GRPC
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    /// The same answer as the list, an item a message.
    func streamPodSandboxStats(
        _ request: Runtime_V1_StreamPodSandboxStatsRequest,
        _ writer: ResponseWriter<Runtime_V1_StreamPodSandboxStatsResponse>
    ) async throws {
        let pods = try Filter.pods(request.hasFilter ? request.filter : nil, in: runtime.inventory)
        for reading in try await readings(of: pods) {
            try await writer.write(.with { $0.podSandboxStats = [reading] })
        }
    }
}
