import LaunchProtocol
import Model
import OCI
import Planner

/// Brings records, settings and facts of the node together into descriptions and plans.
struct Plans {
    let ports: Ports
    let settings: Settings

    /// The description of a container: what `inspect` shows and what plans are compiled from.
    func spec(_ record: ContainerRecord, pod: PodRecord) async throws -> RuntimeSpec {
        let layout = ports.host.layout
        var facts = ContainerFacts(id: record.id, anchor: layout.anchor(pod.id), cgroupPath: record.cgroup)
        facts.volumes = record.volumes.map {
            ImageVolume(path: $0.containerPath, directory: layout.volume(record.id, directory: $0.directory))
        }
        facts = try await ports.host.complete(facts, for: record.config)
        return try settings.specs.spec(
            pod: pod.config, podFacts: podFacts(pod), container: record.config, facts: facts, image: record.image,
            user: record.user)
    }

    /// The main process of a container.
    func container(_ record: ContainerRecord, spec: RuntimeSpec, pod: PodRecord) throws -> LaunchPlan {
        let overlay = ports.host.layout.overlay(record.id)
        let rootfs = ContainerRootfs(
            directory: overlay.directory,
            layers: [overlay.mountPoints] + record.image.layers.map { overlay.layerPrefix + $0 },
            upper: overlay.upper, work: overlay.work)
        var facts = LaunchFacts(
            rootfs: rootfs, pod: pod.config, log: log(record, pod: pod) == nil ? nil : 0)
        facts.keepsStdin = record.config.stdin
        facts.logLimits = try LogRules.limits(pod: pod.config.annotations, container: record.config.annotations)
        return try settings.plans.containerPlan(spec, facts)
    }

    /// A further process of a container.
    func exec(_ record: ContainerRecord, spec: RuntimeSpec, _ request: ExecRequest) throws -> LaunchPlan {
        try settings.plans.execPlan(spec, container: record.id, request)
    }

    func birth(_ pod: PodRecord) throws -> LaunchPlan { try settings.plans.birthPlan(pod.config, podFacts(pod)) }

    func podInit(_ pod: PodRecord) throws -> LaunchPlan {
        try settings.plans.podInitPlan(pod.config, anchor: ports.host.layout.anchor(pod.id))
    }

    /// Where a container's output goes; nil = it is dropped.
    func log(_ record: ContainerRecord, pod: PodRecord) -> LogFile? {
        guard !record.config.logPath.isEmpty, !pod.config.logDirectory.isEmpty else { return nil }
        return LogFile(directory: pod.config.logDirectory, path: record.config.logPath)
    }

    private func podFacts(_ pod: PodRecord) -> PodFacts {
        let layout = ports.host.layout
        return PodFacts(
            id: pod.id, hostnameFile: layout.hostnameFile(pod.id), hostsFile: layout.hostsFile(pod.id),
            resolvConfFile: layout.resolvConfFile(pod.id), sharedMemory: layout.sharedMemory(pod.id),
            networkNamespace: pod.config.sharesNodeNetwork ? "" : layout.networkNamespace(pod.id))
    }

    /// The sentence for an error of a launch: a failed step is named by what it did.
    static func fault(for error: any Error, plan: LaunchPlan?, operation: String) -> Fault {
        if let failure = error as? LaunchFailure, let plan {
            let sentence = StepDescription.sentence(
                plan, index: Int(failure.stepIndex), errno: failure.errno, detail: failure.detail)
            let step = Int(failure.stepIndex)
            var isCommand = false
            if plan.steps.indices.contains(step), case .execute = plan.steps[step] { isCommand = true }
            return Fault(isCommand ? .invalidArgument : .internal, operation, cause: sentence)
        }
        if var fault = error as? Fault {
            if !fault.message.hasPrefix(operation), !operation.hasPrefix("exec") || !fault.message.hasPrefix("exec") {
                fault.message = "\(operation): \(fault.message)"
            }
            return fault
        }
        return Fault(.internal, operation, cause: "\(error)")
    }
}
