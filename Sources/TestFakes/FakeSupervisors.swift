import LaunchProtocol
import Lifecycle
import Model
import Synchronization
import OCI

struct FakeSupervisors: SupervisorPort {
    let node: FakeNode

    func spawn(_ pod: PodID, birth: LaunchPlan) async throws {
        try node.step("spawn")
        node.state.withLock { $0.supervisors[pod] = [:] }
    }

    func reconnect(_ pod: PodID) async throws -> [ProcessState]? {
        try node.step("reconnect")
        return node.state.withLock { state in
            state.supervisors[pod]?.map { name, process in
                ProcessState(
                    process: Array(name.utf8), kind: process.plan.kind, phase: process.exit == nil ? .running : .exited,
                    pid: process.pid, startedAtNanoseconds: process.startedAt, exit: process.exit)
            }
        }
    }

    func launch(_ launch: ProcessLaunch) async throws -> StartedProcess {
        try node.step("launch")
        return try node.state.withLock { state in
            guard state.supervisors[launch.pod] != nil else { throw Fault.internal("no supervisor") }
            guard state.cgroups.contains(launch.cgroup) else { throw Fault.internal("no cgroup") }
            state.nextPID += 1
            state.now += 1_000_000
            state.supervisors[launch.pod]?[launch.process] = .init(
                plan: launch.plan, pid: state.nextPID, startedAt: state.now)
            return StartedProcess(pid: state.nextPID, startedAt: state.now)
        }
    }

    func execute(_ exec: ExecLaunch, _ limits: ExecLimits) async throws -> ExecOutcome {
        try node.step("execute")
        return node.state.withLock { $0.execOutcome }
    }

    func reopenLog(_ pod: PodID, container: ContainerID, log: LogFile) async throws { try node.step("reopenLog") }

    func signal(_ pod: PodID, process: String, signal: Int32) async throws -> Bool {
        try node.step("signal")
        let isDeadly = node.state.withLock { state in
            state.signals.append(signal)
            return state.deadlySignals.contains(signal)
        }
        if isDeadly { await node.end(pod, process: process, code: 128 + signal) }
        return true
    }

    func forget(_ pod: PodID, process: String) async {
        node.state.withLock { $0.supervisors[pod]?[process] = nil }
    }

    func end(_ pod: PodID) async throws {
        try node.step("end")
        node.state.withLock { $0.supervisors[pod] = nil }
    }
}

struct FakeCgroups: CgroupPort {
    let node: FakeNode

    func sandboxPath(parent: String, pod: PodID) throws -> String {
        "\(parent.isEmpty ? "/swiftlet" : parent)/\(pod.text)"
    }

    func containerPath(parent: String, container: ContainerID) throws -> String {
        "\(parent.isEmpty ? "/swiftlet" : parent)/\(container.text)"
    }

    func makePod(_ pod: PodID, sandbox: String) async throws {
        try node.step("makePodCgroup")
        node.state.withLock { state in
            state.cgroups.insert(sandbox)
            state.supervisorCgroups.insert(pod)
        }
    }

    func makeContainer(_ path: String, resources: LinuxResources, devices: [RuntimeResources.DeviceRule]?) async throws
    {
        try node.step("makeContainerCgroup")
        node.state.withLock { state in
            state.cgroups.insert(path)
            state.limits[path] = resources
        }
    }

    func update(_ path: String, from old: LinuxResources, to new: LinuxResources) async throws {
        try node.step("updateCgroup")
        node.state.withLock { $0.limits[path] = new }
    }

    func kill(_ path: String) async throws {
        try node.step("killCgroup")
        let id = String(path.split(separator: "/").last ?? "")
        let victims: [PodID] = node.state.withLock { state in
            state.supervisors.filter { $0.value[id] != nil }.map(\.key)
        }
        for pod in victims { await node.end(pod, process: id, code: 137) }
    }

    func remove(_ path: String) async throws {
        try node.step("removeCgroup")
        node.state.withLock { state in
            state.cgroups.remove(path)
            state.limits[path] = nil
        }
    }

    func removeSupervisor(_ pod: PodID) async throws {
        try node.step("removeSupervisorCgroup")
        node.state.withLock { _ = $0.supervisorCgroups.remove(pod) }
    }
}
