import Lifecycle
import Model
import SwiftProtobuf
import SwiftletAPI

extension NodeService {
    /// `ListOperations`: from memory, also of pods that are gone.
    func listOperations(_ request: Swiftlet_V1_ListOperationsRequest) throws(Fault)
        -> Swiftlet_V1_ListOperationsResponse
    {
        guard request.id.utf8.count <= 64 else { throw Fault.invalid("id: longer than any id") }
        let kept = try operations.operations(of: request.id)
        return .with { $0.operations = kept.map(Self.message) }
    }

    private static func message(_ record: OperationRecord) -> Swiftlet_V1_Operation {
        .with {
            $0.name = record.name
            $0.podID = record.subject.pod.text
            $0.containerID = record.subject.container
            $0.podName = record.subject.podName
            $0.podNamespace = record.subject.podNamespace
            $0.containerName = record.subject.containerName
            $0.startedAt = record.startedAt
            $0.duration = record.duration
            $0.error = record.error
            $0.stages = record.stages.map { stage in
                .with {
                    ($0.name, $0.start, $0.duration) = (stage.name.rawValue, stage.start, stage.duration)
                    ($0.detail, $0.failed) = (stage.detail, stage.hasFailed)
                    $0.parent = Int32(stage.parent ?? -1)
                }
            }
        }
    }
}
