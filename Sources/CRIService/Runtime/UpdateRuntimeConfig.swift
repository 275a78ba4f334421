import CRIProto
import Model

extension CRIService {
    /// The pod CIDR is the CNI configuration's business: it is checked and otherwise left to it.
    func updateRuntimeConfig(_ request: Runtime_V1_UpdateRuntimeConfigRequest) throws(Fault)
        -> Runtime_V1_UpdateRuntimeConfigResponse
    {
        try Check.text(request.runtimeConfig.networkConfig.podCidr, "runtime_config.network_config.pod_cidr")
        return Runtime_V1_UpdateRuntimeConfigResponse()
    }
}
