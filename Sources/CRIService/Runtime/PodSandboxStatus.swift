import CRIProto
import Lifecycle
import Model

extension CRIService {
    func podSandboxStatus(_ request: Runtime_V1_PodSandboxStatusRequest) throws(Fault)
        -> Runtime_V1_PodSandboxStatusResponse
    {
        let id = try Check.identifier(request.podSandboxID, "pod_sandbox_id")
        guard let (pod, containers) = try runtime.inventory.whole(id) else {
            throw Fault.notFound("pod sandbox status: no pod sandbox \"\(Check.shortened(id))\"")
        }
        var response = Runtime_V1_PodSandboxStatusResponse()
        response.status = Present.status(pod)
        response.containersStatuses = containers.map { Present.status($0, in: pod) }
        response.timestamp = runtime.now()
        if request.verbose {
            response.info = [
                "record": try Present.json(pod.record),
                "cniMilliseconds": String(Double(pod.record.networkMicroseconds) / 1000),
            ]
        }
        return response
    }
}
