import CRIProto
import Lifecycle
import Model
import SwiftProtobuf

extension CRIService {
    func status(_ request: Runtime_V1_StatusRequest) async throws -> Runtime_V1_StatusResponse {
        let unready = await runtime.networkUnreadyReason()
        var response = Runtime_V1_StatusResponse()
        response.status.conditions = [
            .with {
                $0.type = "RuntimeReady"
                $0.status = true
            },
            .with {
                $0.type = "NetworkReady"
                $0.status = unready == nil
                $0.reason = unready == nil ? "" : "NetworkPluginNotReady"
                $0.message = unready ?? ""
            },
        ]
        // The default handler; its features say what a pod may ask for today.
        response.runtimeHandlers = [
            .with {
                $0.name = ""
                $0.features = .with {
                    $0.recursiveReadOnlyMounts = false
                    $0.userNamespaces = false
                }
            }
        ]
        response.features = .with {
            $0.supplementalGroupsPolicy = true
            $0.userNamespacesHostNetwork = false
            $0.mountOptions = false
        }
        if request.verbose { response.info = ["config": try identity.configurationJSON()] }
        return response
    }
}
