import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

/// Checkpoints are not in this version: each call says so, and why, once it is clear what it is about.
extension CRIService {
    private static let reason = "the memory and descriptors of running processes cannot be captured by this version"

    func checkpointContainer(_ request: Runtime_V1_CheckpointContainerRequest) throws(Fault)
        -> Runtime_V1_CheckpointContainerResponse
    {
        let id = try Check.identifier(request.containerID, "container_id")
        guard try runtime.inventory.container(named: id) != nil else {
            throw Fault.notFound("checkpoint container: no container \"\(Check.shortened(id))\"")
        }
        throw Fault.unimplemented("checkpoint container: not supported: \(Self.reason)")
    }

    func checkpointPod(_ request: Runtime_V1_CheckpointPodRequest) throws(Fault) -> Runtime_V1_CheckpointPodResponse {
        let id = try Check.identifier(request.podSandboxID, "pod_sandbox_id")
        guard try runtime.inventory.pod(named: id) != nil else {
            throw Fault.notFound("checkpoint pod: no pod sandbox \"\(Check.shortened(id))\"")
        }
        throw Fault.unimplemented("checkpoint pod: not supported: \(Self.reason)")
    }

    func restorePod(_ request: Runtime_V1_RestorePodRequest) throws(Fault) -> Runtime_V1_RestorePodResponse {
        throw Fault.unimplemented("restore pod: not supported: this version makes no checkpoints to restore from")
    }
}
