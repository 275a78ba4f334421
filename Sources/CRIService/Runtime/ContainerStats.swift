import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    /// Of a container that does not run there is no usage: its names alone, and its writable layer.
    func containerStats(_ request: Runtime_V1_ContainerStatsRequest) async throws -> Runtime_V1_ContainerStatsResponse {
        let id = try Check.identifier(request.containerID, "container_id")
        guard let container = try runtime.inventory.container(named: id) else {
            throw Fault.notFound("container stats: no container \"\(Check.shortened(id))\"")
        }
        if let reading = try await readings(of: [container]).first { return .with { $0.stats = reading } }
        let layers = await statistics.writableLayers(of: [container.record.id])
        return .with { $0.stats = Present.statistics(container.record, nil, layer: layers[container.record.id]) }
    }
}
