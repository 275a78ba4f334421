import CRIProto
import GRPC
import SwiftProtobuf

extension CRIService {
    /// The same answer as the list, a pod a message.
    func streamPodSandboxMetrics(
        _ request: Runtime_V1_StreamPodSandboxMetricsRequest,
        _ writer: ResponseWriter<Runtime_V1_StreamPodSandboxMetricsResponse>
    ) async throws {
        for pod in try await allMetrics() { try await writer.write(.with { $0.podSandboxMetrics = [pod] }) }
    }
}
