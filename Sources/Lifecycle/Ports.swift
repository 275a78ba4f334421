package import LaunchProtocol
package import Model
package import OCI
package import Planner

/// The pods' supervisors. Conformer: the daemon's adapter on `SupervisorClient`.
package protocol SupervisorPort: Sendable {
    /// Starts the supervisor of a pod whose directories and cgroup exist, and connects to it. Throws `LaunchFailure` where a
    /// step of the birth plan failed.
    func spawn(_ pod: PodID, birth: LaunchPlan) async throws
    /// Connects to a supervisor of an earlier daemon: what it knows of its processes, or nil where none listens.
    func reconnect(_ pod: PodID) async throws -> [ProcessState]?
    /// Runs the main process of a container, or the pod's init. Throws `LaunchFailure`.
    func launch(_ launch: ProcessLaunch) async throws -> StartedProcess
    /// Runs a further process to its end and collects what it writes. Throws `LaunchFailure`.
    func execute(_ exec: ExecLaunch, _ limits: ExecLimits) async throws -> ExecOutcome
    /// Switches the log of a container to a newly opened file at the same path.
    func reopenLog(_ pod: PodID, container: ContainerID, log: LogFile) async throws
    /// Sends a signal to a process by its pidfd; false where it has ended.
    func signal(_ pod: PodID, process: String, signal: Int32) async throws -> Bool
    /// Lets the supervisor forget an exited process. Never fails: a dead supervisor has forgotten.
    func forget(_ pod: PodID, process: String) async
    /// Ends the supervisor; kills it where it does not answer. Returns when it is gone.
    func end(_ pod: PodID) async throws
}

/// What supervisors report on their own; the adapter calls `Runtime.handle(_:from:)` in the order of events of one pod.
package enum SupervisorEvent: Sendable {
    case exited(ExitRecord)
    /// The connection broke: the supervisor is dead, or another daemon took over.
    case lost
}

/// A log file below a pod's log directory (openat2(2) beneath it; 0640, appended to).
package struct LogFile: Sendable, Equatable {
    package var directory: String
    package var path: String

    package init(directory: String, path: String) {
        self.directory = directory
        self.path = path
    }
}

package struct ProcessLaunch: Sendable {
    package var pod: PodID
    /// A container's id, or "init".
    package var process: String
    package var plan: LaunchPlan
    /// Path below the cgroup2 mount.
    package var cgroup: String
    package var log: LogFile?

    package init(pod: PodID, process: String, plan: LaunchPlan, cgroup: String, log: LogFile?) {
        self.pod = pod
        self.process = process
        self.plan = plan
        self.cgroup = cgroup
        self.log = log
    }
}

package struct StartedProcess: Sendable {
    package var pid: Int32
    package var startedAt: Int64

    package init(pid: Int32, startedAt: Int64) {
        self.pid = pid
        self.startedAt = startedAt
    }
}

/// A further process of a running container.
package struct ExecLaunch: Sendable {
    package var pod: PodID
    package var container: ContainerID
    package var plan: LaunchPlan
    /// The container's cgroup; the process runs in a leaf of its own below it.
    package var cgroup: String

    package init(pod: PodID, container: ContainerID, plan: LaunchPlan, cgroup: String) {
        self.pod = pod
        self.container = container
        self.plan = plan
        self.cgroup = cgroup
    }
}

/// What an exec may take whose output is collected.
package struct ExecLimits: Sendable {
    /// Nil = as long as it takes.
    package var timeout: Duration?
    /// Bytes kept of each stream; the rest is read and dropped.
    package var outputBytesMax: Int
    /// How long pipes may stay open after the process has ended.
    package var drain: Duration

    package init(timeout: Duration?, outputBytesMax: Int, drain: Duration) {
        self.timeout = timeout
        self.outputBytesMax = outputBytesMax
        self.drain = drain
    }
}

package enum ExecOutcome: Sendable, Equatable {
    case exited(code: Int32, stdout: [UInt8], stderr: [UInt8])
    /// Killed, with all of its descendants.
    case timedOut
}

/// A step of a plan failed in the launcher.
package struct LaunchFailure: Error, Sendable, Equatable {
    package var stepIndex: UInt32
    package var errno: Int32
    package var detail: [UInt8]

    package init(stepIndex: UInt32, errno: Int32, detail: [UInt8]) {
        self.stepIndex = stepIndex
        self.errno = errno
        self.detail = detail
    }
}

/// Cgroups of pods and containers. All paths are below the cgroup2 mount.
package protocol CgroupPort: Sendable {
    /// The sandbox's cgroup for a parent as the client names it (empty = the daemon's own). Throws `Fault` for a bad parent.
    func sandboxPath(parent: String, pod: PodID) throws -> String
    func containerPath(parent: String, container: ContainerID) throws -> String
    /// Makes the sandbox's cgroup and the supervisor's leaf.
    func makePod(_ pod: PodID, sandbox: String) async throws
    /// Makes a container's cgroup with limits and, where `devices` is not nil, its device program.
    func makeContainer(_ path: String, resources: LinuxResources, devices: [RuntimeResources.DeviceRule]?) async throws
    /// Changes limits from `old` to `new`; all or nothing.
    func update(_ path: String, from old: LinuxResources, to new: LinuxResources) async throws
    /// Kills everything in a cgroup and below it. A missing cgroup is success.
    func kill(_ path: String) async throws
    /// Kills and removes a cgroup and all below it. A missing one is success.
    func remove(_ path: String) async throws
    /// Removes the leaf of a pod's supervisor.
    func removeSupervisor(_ pod: PodID) async throws
}

/// Durable records. Writes are atomic; there is one writer, this daemon.
package protocol RecordPort: Sendable {
    /// Identity of this boot of the node.
    var bootID: String { get }
    func save(_ record: PodRecord) async throws
    func save(_ record: ContainerRecord) async throws
    func removePod(_ id: PodID) async throws
    func removeContainer(_ id: ContainerID) async throws
    /// All readable records; unreadable ones have been moved aside and reported.
    func load() async throws -> (pods: [PodRecord], containers: [ContainerRecord])
    /// What the supervisor wrote when a process of the pod had ended.
    func exitRecord(_ pod: PodID, process: String) async throws -> ExitRecord?
}

/// The pods' network: CNI.
package protocol NetworkPort: Sendable {
    /// Attaches a pod. After a failure nothing of the attachment is left, or `remove` can be called for it.
    func attach(_ pod: PodID, config: PodConfig, cgroup: String) async throws -> NetworkAttachment
    /// Releases what `attach` made, from its own cached configuration. Success where there is nothing.
    func release(_ pod: PodID) async throws
    /// Why pods cannot be attached now; nil = they can.
    func unreadyReason() async -> String?
    /// Pods for which an attachment is on record.
    func attached() async throws -> [PodID]
}

package struct NetworkAttachment: Sendable, Equatable {
    package var addresses: [String]
    package var pluginMicroseconds: Int64

    package init(addresses: [String], pluginMicroseconds: Int64) {
        self.addresses = addresses
        self.pluginMicroseconds = pluginMicroseconds
    }
}

/// Images, as containers need them.
package protocol ImagePort: Sendable {
    /// A local image by id, id prefix, digest or tag. Throws `Fault.notFound`.
    func image(_ reference: String) async throws -> ResolvedImage
    /// Who a process runs as, from the image's own files. Throws `Fault`.
    func resolveUser(_ image: RuntimeImage, choice: UserChoice) async throws -> ResolvedUser
    /// Copies what an image has at a volume's path into the volume's directory.
    func copyUp(_ image: RuntimeImage, path: String, intoContainer container: ContainerID, directory: String)
        async throws
    /// Keeps the image's layers on disk for a container.
    func retain(_ image: RuntimeImage, for container: ContainerID) async throws
    func release(_ container: ContainerID) async
}

package struct ResolvedImage: Sendable {
    package var image: RuntimeImage
    /// Digest reference where there is one, else the id.
    package var reference: String

    package init(image: RuntimeImage, reference: String) {
        self.image = image
        self.reference = reference
    }
}

/// The node's file system and facts, as pods and containers need them.
package protocol HostPort: Sendable {
    /// Makes a pod's directories, its /etc files, its shm mount and the file that its network namespace is pinned on.
    func makePod(_ record: PodRecord) async throws
    /// Undoes `makePod`, the pin included; success where nothing is left.
    func removePod(_ id: PodID) async throws
    /// Undoes what holds kernel objects (shm mount, pin, control socket) and leaves exit records and the /etc files.
    func releasePod(_ id: PodID) async throws
    /// Makes a container's writable layer and volume directories.
    func makeContainer(_ record: ContainerRecord) async throws
    func removeContainer(_ id: ContainerID) async throws
    /// Pods and containers that left something on disk, whether or not a record of them exists.
    func leftovers() async throws -> (pods: [PodID], containers: [ContainerID])
    /// Adds what one container's description needs of the node: devices, mount table, seccomp profile of a file.
    func complete(_ facts: ContainerFacts, for config: ContainerConfig) async throws -> ContainerFacts
    /// Writes `/proc/<pid>/oom_score_adj` of a running container's process.
    func setOOMScoreAdj(pid: Int32, cgroup: String, value: Int64) async throws
    /// Where things of a pod and a container are. Pure.
    var layout: any LayoutPort { get }
}

/// Paths of a pod's and a container's files on the node. Pure.
package protocol LayoutPort: Sendable {
    func networkNamespace(_ pod: PodID) -> String
    func sharedMemory(_ pod: PodID) -> String
    func hostsFile(_ pod: PodID) -> String
    func hostnameFile(_ pod: PodID) -> String
    func resolvConfFile(_ pod: PodID) -> String
    /// Directory that overlay paths are relative to, and the two directories of the writable layer below it.
    func overlay(_ container: ContainerID) -> OverlayLayout
    func volume(_ container: ContainerID, directory: String) -> String
    /// An empty directory of the pod to attach a root to.
    func anchor(_ pod: PodID) -> String
}

package struct OverlayLayout: Sendable, Equatable {
    package var directory: String
    /// Prefix of a layer's name, with a slash at its end.
    package var layerPrefix: String
    package var upper: String
    package var work: String
    /// Below all layers: a directory that has what every container's mounts are attached to. Without it they would be made
    /// in the writable layer at each start, by copying the image's directories up.
    package var mountPoints: String

    package init(directory: String, layerPrefix: String, upper: String, work: String, mountPoints: String) {
        self.directory = directory
        self.mountPoints = mountPoints
        self.layerPrefix = layerPrefix
        self.upper = upper
        self.work = work
    }
}

/// The two clocks of CLOCK_REALTIME stamps and waiting; tests have their own.
package protocol ClockPort: Sendable {
    /// Nanoseconds since 1970.
    func now() -> Int64
}
