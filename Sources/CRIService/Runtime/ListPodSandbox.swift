import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    func listPodSandbox(_ request: Runtime_V1_ListPodSandboxRequest) throws(Fault) -> Runtime_V1_ListPodSandboxResponse
    {
        let pods = try Filter.pods(request.hasFilter ? request.filter : nil, in: runtime.inventory)
        return .with { $0.items = pods.map(Present.item) }
    }
}
