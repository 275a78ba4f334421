import Foundation
import LaunchProtocol
import Lifecycle
import Model
import OCI
import Planner
import Seccomp
import Synchronization

/// What went out of the lifecycle's ports, by the name of where a difference would show.
final class Recorder: Sendable {
    private let entries = Mutex<[Channel: [String]]>([:])

    func add(_ channel: Channel, _ text: String) { entries.withLock { $0[channel, default: []].append(text) } }
    func clear() { entries.withLock { $0 = [:] } }
    var all: [Channel: String] { entries.withLock { $0.mapValues { $0.joined(separator: "\n") } } }
}

/// Where a field of a request can show.
enum Channel: String, Sendable, CaseIterable, Comparable {
    case birthPlan = "pod's birth plan"
    case initPlan = "plan of the pod's init"
    case launchPlan = "launch plan"
    case execPlan = "exec plan"
    case attachPoint = "how clients are attached"
    case logFile = "log file"
    case cgroupPath = "cgroup path"
    case limits = "cgroup limits"
    case devices = "device program"
    case network = "network request"
    case podFiles = "/etc files of the pod"
    case imageLookup = "image that is used"
    case user = "user that is resolved"
    case signal = "stop signal sent"
    case oomScore = "oom_score_adj of the process"
    case admission = "which containers the pod admits"
    case status = "status"
    case list = "list"
    case info = "verbose status"
    case pull = "pull"
    case streamTarget = "what the URL leads to"

    static func < (a: Channel, b: Channel) -> Bool { a.rawValue < b.rawValue }
}

func sortedJSON(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch { return "\(error)" }
}

extension Ports {
    /// These ports, with a record of what goes through them and a node that has devices, shared mounts and a profile.
    func recorded(by recorder: Recorder) -> Ports {
        Ports(
            supervisors: RecordingSupervisors(base: supervisors, recorder: recorder),
            cgroups: RecordingCgroups(base: cgroups, recorder: recorder), records: records,
            network: RecordingNetwork(base: network, recorder: recorder),
            images: RecordingImages(base: images, recorder: recorder),
            host: RecordingHost(base: host, recorder: recorder),
            clock: clock, log: log)
    }
}

struct RecordingSupervisors: SupervisorPort {
    let base: any SupervisorPort
    let recorder: Recorder

    func spawn(_ pod: PodID, birth: LaunchPlan) async throws {
        recorder.add(.birthPlan, PlanDump.text(birth))
        try await base.spawn(pod, birth: birth)
    }

    func reconnect(_ pod: PodID) async throws -> [ProcessState]? { try await base.reconnect(pod) }

    func launch(_ launch: ProcessLaunch) async throws -> StartedProcess {
        recorder.add(launch.process == "init" ? .initPlan : .launchPlan, PlanDump.text(launch.plan))
        recorder.add(.logFile, launch.log.map { "\($0.directory) \($0.path)" } ?? "none")
        return try await base.launch(launch)
    }

    func execute(_ exec: ExecLaunch, _ limits: ExecLimits) async throws -> ExecOutcome {
        recorder.add(.execPlan, PlanDump.text(exec.plan) + "\(String(describing: limits.timeout))")
        return try await base.execute(exec, limits)
    }

    func reopenLog(_ pod: PodID, container: ContainerID, log: LogFile) async throws {
        try await base.reopenLog(pod, container: container, log: log)
    }

    func signal(_ pod: PodID, process: String, signal: Int32) async throws -> Bool {
        recorder.add(.signal, "\(signal)")
        return try await base.signal(pod, process: process, signal: signal)
    }

    func forget(_ pod: PodID, process: String) async { await base.forget(pod, process: process) }
    func end(_ pod: PodID) async throws { try await base.end(pod) }
}

struct RecordingCgroups: CgroupPort {
    let base: any CgroupPort
    let recorder: Recorder

    func sandboxPath(parent: String, pod: PodID) throws -> String { try base.sandboxPath(parent: parent, pod: pod) }
    func containerPath(parent: String, container: ContainerID) throws -> String {
        try base.containerPath(parent: parent, container: container)
    }

    func makePod(_ pod: PodID, sandbox: String) async throws {
        recorder.add(.cgroupPath, sandbox)
        try await base.makePod(pod, sandbox: sandbox)
    }

    func makeContainer(_ path: String, resources: LinuxResources, devices: [RuntimeResources.DeviceRule]?) async throws
    {
        recorder.add(.cgroupPath, path)
        // Applied to the process, not to the cgroup.
        var limits = resources
        limits.oomScoreAdj = 0
        recorder.add(.limits, sortedJSON(limits))
        recorder.add(.devices, devices.map(sortedJSON) ?? "all")
        try await base.makeContainer(path, resources: resources, devices: devices)
    }

    func update(_ path: String, from old: LinuxResources, to new: LinuxResources) async throws {
        var limits = new
        limits.oomScoreAdj = 0
        recorder.add(.limits, sortedJSON(limits))
        try await base.update(path, from: old, to: new)
    }

    func kill(_ path: String) async throws { try await base.kill(path) }
    func remove(_ path: String) async throws { try await base.remove(path) }
    func removeSupervisor(_ pod: PodID) async throws { try await base.removeSupervisor(pod) }
}

struct RecordingNetwork: NetworkPort {
    let base: any NetworkPort
    let recorder: Recorder

    /// What plugins are told of a pod.
    func attach(_ pod: PodID, config: PodConfig, cgroup: String) async throws -> NetworkAttachment {
        recorder.add(.network, "\(config.metadata.name) \(config.metadata.namespace) \(config.metadata.uid)")
        recorder.add(
            .network, sortedJSON(config.portMappings) + sortedJSON(config.dns) + sortedJSON(config.annotations))
        return try await base.attach(pod, config: config, cgroup: cgroup)
    }

    func release(_ pod: PodID) async throws { try await base.release(pod) }
    func unreadyReason() async -> String? { await base.unreadyReason() }
    func attached() async throws -> [PodID] { try await base.attached() }
}

struct RecordingImages: ImagePort {
    let base: any ImagePort
    let recorder: Recorder

    func image(_ reference: String) async throws -> ResolvedImage {
        recorder.add(.imageLookup, reference)
        return try await base.image(reference)
    }

    func resolveUser(_ image: RuntimeImage, choice: UserChoice) async throws -> ResolvedUser {
        recorder.add(.user, sortedJSON(choice))
        return try await base.resolveUser(image, choice: choice)
    }

    func copyUp(_ image: RuntimeImage, path: String, intoContainer container: ContainerID, directory: String)
        async throws
    {
        try await base.copyUp(image, path: path, intoContainer: container, directory: directory)
    }

    func retain(_ image: RuntimeImage, for container: ContainerID) async throws {
        try await base.retain(image, for: container)
    }
    func release(_ container: ContainerID) async { await base.release(container) }
}

struct RecordingHost: HostPort {
    let base: any HostPort
    let recorder: Recorder

    func makePod(_ record: PodRecord) async throws {
        recorder.add(.podFiles, record.hostname + sortedJSON(record.config.dns))
        try await base.makePod(record)
    }

    func removePod(_ id: PodID) async throws { try await base.removePod(id) }
    func releasePod(_ id: PodID) async throws { try await base.releasePod(id) }
    func makeContainer(_ record: ContainerRecord) async throws { try await base.makeContainer(record) }
    func removeContainer(_ id: ContainerID) async throws { try await base.removeContainer(id) }
    func leftovers() async throws -> (pods: [PodID], containers: [ContainerID]) { try await base.leftovers() }

    /// A node with /dev/fuse and /dev/net/tun, a shared root mount, and any seccomp profile that is named.
    func complete(_ facts: ContainerFacts, for config: ContainerConfig) async throws -> ContainerFacts {
        var facts = facts
        facts.hostMounts = HostMounts([.init(path: "/", isShared: true, isSlave: false)])
        facts.devices = [("/dev/fuse", 229), ("/dev/net/tun", 200)].map { path, minor in
            HostDevice(path: path, kind: .character, major: 10, minor: minor, mode: 0o600, uid: 0, gid: 0)
        }
        if case .localhost(let path)? = config.security.seccomp {
            let names = path.hasSuffix("2.json") ? "\"chmod\",\"fchmod\"" : "\"chmod\""
            let rule = "{\"names\":[\(names)],\"action\":\"SCMP_ACT_ERRNO\"}"
            let profile = "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[\(rule)]}"
            facts.localhostProfile = try SeccompProfile(decoding: Array(profile.utf8))
        }
        return facts
    }

    func setOOMScoreAdj(pid: Int32, cgroup: String, value: Int64) async throws {
        recorder.add(.oomScore, "\(value)")
        try await base.setOOMScoreAdj(pid: pid, cgroup: cgroup, value: value)
    }

    var layout: any LayoutPort { base.layout }
}
