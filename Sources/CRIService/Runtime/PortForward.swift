import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    /// Answers with a URL; connections into the pod are made when a client comes there.
    func portForward(_ request: Runtime_V1_PortForwardRequest) throws(Fault) -> Runtime_V1_PortForwardResponse {
        let id = try Check.identifier(request.podSandboxID, "pod_sandbox_id")
        try Check.count(request.port.count, "port")
        var ports: [UInt16] = []
        for port in request.port {
            try Check.range(port, 1...65_535, "port")
            ports.append(UInt16(truncatingIfNeeded: port))
        }
        let pod = try runtime.readyPod(id, operation: "port-forward")
        let url = try streaming.portForwardURL(pod, ports: ports)
        return .with { $0.url = url }
    }
}
