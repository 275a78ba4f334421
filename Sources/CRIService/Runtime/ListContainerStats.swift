import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    func listContainerStats(_ request: Runtime_V1_ListContainerStatsRequest) async throws
        -> Runtime_V1_ListContainerStatsResponse
    {
        let containers = try Filter.containers(request.hasFilter ? request.filter : nil, in: runtime.inventory)
        let readings = try await readings(of: containers)
        return .with { $0.stats = readings }
    }
}
