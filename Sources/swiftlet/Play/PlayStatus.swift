import CLICore
import Play

/// What became of pods, in the shape of the API's Pod.
struct PlayStatus: Sendable {
    let plan: PodPlan
    let machine: PodMachine
    let ip: String
    /// Name to the runtime's id of the last attempt.
    let ids: [String: String]

    /// A List of Pods.
    static func list(_ pods: [PlayStatus]) -> JSONValue {
        .object([
            .init("apiVersion", "v1"), .init("kind", "List"), .init("items", .array(pods.map(\.tree))),
        ])
    }

    private var tree: JSONValue {
        .object([
            .init("apiVersion", "v1"), .init("kind", "Pod"),
            .init(
                "metadata",
                .object([
                    .init("name", .string(plan.pod.name)), .init("namespace", .string(plan.pod.namespace)),
                    .init("uid", .string(plan.uid)),
                ])),
            .init("status", status),
        ])
    }

    private var status: JSONValue {
        var members: [JSONValue.Member] = [.init("phase", .string(machine.phase.rawValue))]
        if machine.isOverdue { members.append(.init("reason", "DeadlineExceeded")) }
        if !machine.message.isEmpty { members.append(.init("message", .string(machine.message))) }
        if !ip.isEmpty { members.append(.init("podIP", .string(ip))) }
        let conditions = [
            ("Initialized", machine.isInitialised), ("ContainersReady", machine.isReady), ("Ready", machine.isReady),
        ]
        members.append(
            .init(
                "conditions",
                .array(
                    conditions.map { name, holds in
                        .object([.init("type", .string(name)), .init("status", holds ? "True" : "False")])
                    })))
        for (name, isMain) in [("initContainerStatuses", false), ("containerStatuses", true)] {
            let containers = machine.containers.filter { ($0.spec.role == .main) == isMain }
            if !containers.isEmpty { members.append(.init(name, .array(containers.map(tree)))) }
        }
        return .object(members)
    }

    private func tree(_ container: ContainerProgress) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(container.spec.name)), .init("image", .string(container.spec.image)),
            .init("ready", .bool(container.isShownReady)), .init("started", .bool(container.isStarted)),
            .init("restartCount", .number(container.restarts)), .init("state", tree(container.state)),
        ]
        if let end = container.previousEnd { members.append(.init("lastState", tree(.terminated(end)))) }
        if let id = ids[container.spec.name] { members.append(.init("containerID", .string(id))) }
        return .object(members)
    }

    private func tree(_ state: ContainerState) -> JSONValue {
        switch state {
        case .running: .object([.init("running", .object([]))])
        case .waiting(let reason, let message):
            .object([
                .init(
                    "waiting",
                    .object(
                        [.init("reason", .string(reason))]
                            + (message.isEmpty ? [] : [.init("message", .string(message))])))
            ])
        case .terminated(let end):
            .object([
                .init(
                    "terminated",
                    .object(
                        [.init("exitCode", .number(end.exitCode)), .init("reason", .string(end.reason))]
                            + (end.message.isEmpty ? [] : [.init("message", .string(end.message))])
                            + (end.startedAt > 0 ? [.init("startedAt", .string(rfc3339(end.startedAt)))] : [])
                            + (end.finishedAt > 0 ? [.init("finishedAt", .string(rfc3339(end.finishedAt)))] : [])))
            ])
        }
    }
}

extension ContainerProgress {
    /// Ready as the API has it: an init container is when it has succeeded.
    fileprivate var isShownReady: Bool {
        guard spec.role == .initial, case .terminated(let end) = state else { return isReady }
        return end.exitCode == 0
    }
}
