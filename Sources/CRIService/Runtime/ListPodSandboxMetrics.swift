import CRIProto
import SwiftProtobuf

extension CRIService {
    func listPodSandboxMetrics(_ request: Runtime_V1_ListPodSandboxMetricsRequest) async throws
        -> Runtime_V1_ListPodSandboxMetricsResponse
    {
        let metrics = try await allMetrics()
        return .with { $0.podMetrics = metrics }
    }
}
