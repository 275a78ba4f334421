import CRIProto
import SwiftProtobuf

extension CRIService {
    /// The kubelet takes its own cgroup driver from here.
    func runtimeConfig(_ request: Runtime_V1_RuntimeConfigRequest) -> Runtime_V1_RuntimeConfigResponse {
        .with { $0.linux.cgroupDriver = .cgroupfs }
    }
}
