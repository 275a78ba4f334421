import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    func listContainers(_ request: Runtime_V1_ListContainersRequest) throws(Fault) -> Runtime_V1_ListContainersResponse
    {
        let containers = try Filter.containers(request.hasFilter ? request.filter : nil, in: runtime.inventory)
        return .with { $0.containers = containers.map(Present.item) }
    }
}
