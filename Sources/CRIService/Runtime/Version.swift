import CRIProto
import Model
import SwiftProtobuf

extension CRIService {
    /// Four non-empty fields, or the kubelet refuses the connection.
    func version(_ request: Runtime_V1_VersionRequest) throws(Fault) -> Runtime_V1_VersionResponse {
        try Check.text(request.version, "version")
        return .with {
            $0.version = "0.1.0"
            $0.runtimeName = identity.name
            $0.runtimeVersion = identity.version
            $0.runtimeApiVersion = "v1"
        }
    }
}
