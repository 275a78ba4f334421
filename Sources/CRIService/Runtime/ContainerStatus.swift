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
        response.status = present(container)
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
        return .with { $0.status = present(container) }
    }

    private func found(_ id: String) throws(Fault) -> ContainerSnapshot {
        let id = try Check.identifier(id, "container_id")
        guard let container = try runtime.inventory.container(named: id) else {
            throw Fault.notFound("container status: no container \"\(Check.shortened(id))\"")
        }
        return container
    }

    private func present(_ container: ContainerSnapshot) -> Runtime_V1_ContainerStatus {
        var status = Present.status(container)
        if let pod = runtime.inventory.pod(container.record.podID) {
            status.logPath = Present.logPath(container.record.config, pod: pod.record.config)
        }
        return status
    }
}

extension Present {
    /// Full path of a container's log on the node; empty where it has none.
    static func logPath(_ config: ContainerConfig, pod: PodConfig) -> String {
        guard !config.logPath.isEmpty, !pod.logDirectory.isEmpty else { return "" }
        return pod.logDirectory.hasSuffix("/")
            ? pod.logDirectory + config.logPath : pod.logDirectory + "/" + config.logPath
    }
}
