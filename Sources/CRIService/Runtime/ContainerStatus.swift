import CRIProto
import Lifecycle
import Model
import Planner
import SwiftProtobuf

extension CRIService {
    func containerStatus(_ request: Runtime_V1_ContainerStatusRequest) async throws
        -> Runtime_V1_ContainerStatusResponse
    {
        var response = Runtime_V1_ContainerStatusResponse()
        let container = try found(request.containerID)
        response.status = Present.status(container, in: runtime.inventory.pod(container.record.podID))
        if request.verbose {
            response.info = ["record": try Present.json(container.record)]
            if case .running(let running) = container.state { response.info["pid"] = String(running.pid) }
            let (spec, plan) = try await runtime.description(of: container.record.id.text)
            response.info["runtimeSpec"] = try Present.json(spec)
            response.info["plan"] = PlanDump.json(plan)
        }
        return response
    }

    /// The answer without verbose information: from memory alone.
    func plainContainerStatus(_ request: Runtime_V1_ContainerStatusRequest) throws(Fault)
        -> Runtime_V1_ContainerStatusResponse
    {
        let container = try found(request.containerID)
        return .with { $0.status = Present.status(container, in: runtime.inventory.pod(container.record.podID)) }
    }

    private func found(_ id: String) throws(Fault) -> ContainerSnapshot {
        let id = try Check.identifier(id, "container_id")
        guard let container = try runtime.inventory.container(named: id) else {
            throw Fault.notFound("container status: no container \"\(Check.shortened(id))\"")
        }
        return container
    }
}

extension Present {
    /// A container's status with the full path of its log.
    static func status(_ container: ContainerSnapshot, in pod: PodSnapshot?) -> Runtime_V1_ContainerStatus {
        var message = status(container)
        if let pod { message.logPath = container.record.config.logFile(in: pod.record.config) }
        return message
    }
}
