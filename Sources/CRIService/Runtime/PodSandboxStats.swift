import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    func podSandboxStats(_ request: Runtime_V1_PodSandboxStatsRequest) async throws
        -> Runtime_V1_PodSandboxStatsResponse
    {
        let id = try Check.identifier(request.podSandboxID, "pod_sandbox_id")
        guard let pod = try runtime.inventory.pod(named: id) else {
            throw Fault.notFound("pod sandbox stats: no pod sandbox \"\(Check.shortened(id))\"")
        }
        guard let reading = try await readings(of: [pod]).first else {
            throw Fault.precondition("pod sandbox stats: the pod sandbox \"\(pod.record.id.short)\" is not ready")
        }
        return .with { $0.stats = reading }
    }
}
