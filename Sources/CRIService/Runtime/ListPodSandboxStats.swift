import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    func listPodSandboxStats(_ request: Runtime_V1_ListPodSandboxStatsRequest) async throws
        -> Runtime_V1_ListPodSandboxStatsResponse
    {
        let pods = try Filter.pods(request.hasFilter ? request.filter : nil, in: runtime.inventory)
        let readings = try await readings(of: pods)
        return .with { $0.stats = readings }
    }
}
