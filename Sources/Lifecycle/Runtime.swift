package import LaunchProtocol
package import Model
package import OCI
package import Planner

/// What the CRI's RuntimeService does, on validated values: the one entrance to pods and containers.
package final class Runtime: Sendable {
    package let inventory: Inventory
    let ports: Ports
    let settings: Settings
    package let operations = OperationLog()

    package init(ports: Ports, settings: Settings) {
        self.ports = ports
        self.settings = settings
        inventory = Inventory(now: { ports.clock.now() })
    }

    // MARK: Pods

    /// Makes a sandbox and returns when it is ready. The same configuration again gives the same sandbox, made or in the making.
    package func runPod(_ config: PodConfig, hostname: String) async throws -> PodID {
        let id = PodID.random()
        var record = PodRecord(
            id: id, config: config, phase: .creating, createdAt: ports.clock.now(), bootID: ports.records.bootID,
            hostname: hostname, cgroup: try ports.cgroups.sandboxPath(parent: config.cgroupParent, pod: id))
        record.networkReleased = config.namespaces.network == .node
        let controller = PodController(
            record: record, state: .creating, ports: ports, settings: settings, inventory: inventory)
        if let holder = inventory.reserve(config.metadata, for: controller) {
            return try await handOver(holder, for: config)
        }
        return try await recorded("RunPodSandbox", .init(controller)) {
            Task(executorPreference: ports.executor) { await controller.create() }
            return try await controller.creation.value()
        }
    }

    private func handOver(_ holder: PodController, for config: PodConfig) async throws -> PodID {
        let record = await holder.currentRecord()
        guard record.config == config else {
            throw Fault(
                .alreadyExists,
                "run pod sandbox: metadata names the \(holder.title), which was made from another configuration")
        }
        let id = try await holder.creation.value()
        guard await holder.isReady() else {
            throw Fault(
                .alreadyExists, "run pod sandbox: metadata names the \(holder.title), which is stopped; remove it first"
            )
        }
        return id
    }

    /// Stops a sandbox and all in it. An unknown id is success.
    package func stopPod(_ text: String) async throws {
        guard let pod = try inventory.pod(named: text) else { return }
        guard let controller = inventory.controller(of: pod.record.id) else { return }
        try await recorded("StopPodSandbox", .init(controller)) { try await controller.stop() }
    }

    /// Removes a sandbox and all in it, stopping it first. An unknown id is success.
    package func removePod(_ text: String) async throws {
        guard let pod = try inventory.pod(named: text) else { return }
        guard let controller = inventory.controller(of: pod.record.id) else { return }
        try await recorded("RemovePodSandbox", .init(controller)) { try await controller.remove() }
    }

    // MARK: Containers

    /// Makes a container in a ready sandbox; nothing runs yet. The same configuration again gives the same container.
    package func createContainer(inPod text: String, config: ContainerConfig) async throws -> ContainerID {
        guard let pod = try inventory.pod(named: text), let controller = inventory.controller(of: pod.record.id) else {
            throw Fault.notFound("create container: no pod sandbox \"\(text)\"")
        }
        guard pod.isReady else {
            throw Fault.precondition("create container: the pod sandbox \"\(pod.record.id.short)\" is not ready")
        }
        var subject = OperationRecord.Subject(controller)
        subject.containerName = config.metadata.name
        return try await recorded("CreateContainer", subject) {
            try await createContainer(in: controller, of: pod.record, config: config)
        }
    }

    private func createContainer(
        in controller: PodController, of pod: PodRecord, config: ContainerConfig
    ) async throws -> ContainerID {
        let (record, image) = try await stage(.image, about: config.image) { try await newRecord(config, pod: pod) }
        let container = ContainerController(record: record, state: .created, pod: controller)
        if let holder = inventory.reserve(config.metadata, for: container) {
            guard await holder.configuration() == config else {
                throw Fault(
                    .alreadyExists,
                    "create container: metadata names the \(holder.title), which was made from another configuration")
            }
            OperationRecorder.scope?.recorder.identify(holder.id)
            return try await holder.creation.value()
        }
        OperationRecorder.scope?.recorder.identify(record.id)
        Task(executorPreference: ports.executor) { await container.create(retaining: image) }
        return try await container.creation.value()
    }

    package func startContainer(_ text: String) async throws {
        let container = try controller(of: text, operation: "start container")
        try await recorded("StartContainer", .init(container)) { try await container.start() }
    }

    /// Stops a container. An unknown id, and one that does not run, is success.
    package func stopContainer(_ text: String, timeout: Duration) async throws {
        guard let container = try inventory.container(named: text) else { return }
        guard let controller = inventory.controller(of: container.record.id) else { return }
        try await recorded("StopContainer", .init(controller)) { try await controller.stop(timeout: timeout) }
    }

    /// Removes a container, killing it first. An unknown id is success.
    package func removeContainer(_ text: String) async throws {
        guard let container = try inventory.container(named: text) else { return }
        guard let controller = inventory.controller(of: container.record.id) else { return }
        try await recorded("RemoveContainer", .init(controller)) { try await controller.remove() }
    }

    /// The running container that `text` names, for a client that will come for its streams.
    package func runningContainer(_ text: String, operation: String) throws(Fault) -> ContainerSnapshot {
        guard let container = try inventory.container(named: text) else {
            throw Fault.notFound("\(operation): no container \"\(text)\"")
        }
        guard case .running = container.state else {
            throw Fault.precondition("\(operation): the container \"\(container.record.id.short)\" is not running")
        }
        return container
    }

    /// The ready pod that `text` names.
    package func readyPod(_ text: String, operation: String) throws(Fault) -> PodID {
        guard let pod = try inventory.pod(named: text) else {
            throw Fault.notFound("\(operation): no pod sandbox \"\(text)\"")
        }
        guard pod.isReady else {
            throw Fault.precondition("\(operation): the pod sandbox \"\(pod.record.id.short)\" is not ready")
        }
        return pod.record.id
    }

    /// Has `body` start a command in a running container, and gives what it made.
    package func exec<Result: Sendable>(
        in id: ContainerID, _ request: ExecRequest, _ body: @Sendable (ExecLaunch) async throws -> Result
    ) async throws -> Result {
        try await controller(of: id.text, operation: "exec").exec(request, body)
    }

    /// Has `body` join the main process of a running container, and gives what it made.
    package func attach<Result: Sendable>(
        to id: ContainerID, _ body: @Sendable (AttachPoint) async throws -> Result
    ) async throws -> Result {
        try await controller(of: id.text, operation: "attach").attach(body)
    }

    package func execSync(_ text: String, command: [String], timeout: Duration?) async throws -> ExecOutcome {
        let container = try controller(of: text, operation: "exec")
        return try await recordedExec(container) { try await container.execSync(command, timeout: timeout) }
    }

    package func reopenLog(_ text: String) async throws {
        try await controller(of: text, operation: "reopen container log").reopenLog()
    }

    package func update(_ text: String, resources: LinuxResources) async throws {
        let container = try controller(of: text, operation: "update container resources")
        try await recorded("UpdateContainerResources", .init(container)) { try await container.update(resources) }
    }

    /// A container's description and launch plan, as `inspect` and `inspect --plan` show them.
    package func description(of text: String) async throws -> (spec: RuntimeSpec, plan: LaunchPlan) {
        try await controller(of: text, operation: "describe container").description()
    }

    /// Keeps informational resources of a pod (CRI UpdatePodSandboxResources).
    package func updatePod(_ text: String, overhead: LinuxResources?, resources: LinuxResources?) async throws {
        guard let pod = try inventory.pod(named: text), let controller = inventory.controller(of: pod.record.id) else {
            throw Fault.notFound("update pod sandbox resources: no pod sandbox \"\(text)\"")
        }
        try await controller.change { record in
            if let overhead { record.config.overhead = overhead }
            if let resources { record.config.resources = resources }
        }
    }

    /// Why pods cannot be given a network now; nil = they can.
    package func networkUnreadyReason() async -> String? { await ports.network.unreadyReason() }

    private func controller(of text: String, operation: String) throws -> ContainerController {
        guard let controller = try inventory.controller(named: text) else {
            throw Fault.notFound("\(operation): no container \"\(text)\"")
        }
        return controller
    }

    /// Nanoseconds since 1970, by the clock that all records are stamped with.
    package func now() -> Int64 { ports.clock.now() }

    // MARK: Events

    /// What a supervisor reports on its own.
    package func handle(_ event: SupervisorEvent, from pod: PodID) async {
        switch event {
        case .exited(let record):
            let process = String(decoding: record.process, as: UTF8.self)
            if process == PodController.initProcess {
                await inventory.controller(of: pod)?.initExited()
            } else if let id = ContainerID(process) {
                await inventory.controller(of: id)?.processExited(record)
            }
        case .lost:
            await inventory.controller(of: pod)?.supervisorLost()
        }
    }
}
