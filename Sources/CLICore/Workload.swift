package import CRIProto
import FoundationEssentials
import SwiftProtobuf

/// A pod of one container as `swiftlet run` and `swiftlet-bench` make it, with the protections that a kubelet gives.
package struct Workload: Sendable {
    /// Name of the pod and of its container.
    package var name: String
    package var namespace = "default"
    package var uid: String
    package var image: String
    /// Replaces the image's entrypoint and arguments; empty keeps them.
    package var command: [String] = []
    /// Replaces the image's arguments only; empty keeps them.
    package var arguments: [String] = []
    package var environment: [(name: String, value: String)] = []
    package var mounts: [Runtime_V1_Mount] = []
    package var workingDirectory = ""
    package var user: User?
    package var hasTerminal = false
    /// Whether one client may send it input, which ends with that client.
    package var hasInput = false
    package var isPrivileged = false
    package var hasReadOnlyRoot = false
    package var usesHostNetwork = false
    package var memoryLimitBytes: Int64 = 0
    package var processors: Double = 0
    /// Directory of the container's log file; empty keeps no log.
    package var logDirectory = ""
    package var labels: [String: String] = [:]

    /// Who the process is.
    package enum User: Equatable, Sendable {
        case id(Int64, group: Int64?)
        case name(String)
    }

    package init(name: String, uid: String, image: String) {
        self.name = name
        self.uid = uid
        self.image = image
    }

    /// The name of the log file below `logDirectory`.
    package static let logName = "container.log"

    /// The pod.
    package var pod: Runtime_V1_PodSandboxConfig {
        .with {
            $0.metadata.name = name
            $0.metadata.namespace = namespace
            $0.metadata.uid = uid
            $0.hostname = usesHostNetwork ? "" : String(name.prefix(63))
            $0.logDirectory = logDirectory
            $0.labels = labels.merging(podLabels) { given, _ in given }
            $0.linux.securityContext.namespaceOptions = namespaces
            $0.linux.securityContext.privileged = isPrivileged
            $0.linux.securityContext.seccomp = seccomp
        }
    }

    /// Its container.
    package var container: Runtime_V1_ContainerConfig {
        .with {
            $0.metadata.name = name
            $0.image.image = image
            $0.image.userSpecifiedImage = image
            $0.command = command
            $0.args = arguments
            $0.workingDir = workingDirectory
            $0.envs = environment.map { variable in
                .with {
                    $0.key = variable.name
                    $0.value = .init(variable.value.utf8)
                }
            }
            $0.mounts = mounts
            $0.tty = hasTerminal
            $0.stdin = hasInput
            $0.stdinOnce = hasInput
            $0.logPath = logDirectory.isEmpty ? "" : Self.logName
            let kubelet = podLabels.merging(["io.kubernetes.container.name": name]) { given, _ in given }
            $0.labels = labels.merging(kubelet) { given, _ in given }
            $0.linux.resources = resources
            $0.linux.securityContext = securityContext
        }
    }

    // MARK: - Parts

    /// The labels by which tools tell whose container it is.
    private var podLabels: [String: String] {
        ["io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": namespace, "io.kubernetes.pod.uid": uid]
    }

    private var namespaces: Runtime_V1_NamespaceOption {
        .with {
            $0.network = usesHostNetwork ? .node : .pod
            $0.pid = .container
            $0.ipc = .pod
        }
    }

    private var seccomp: Runtime_V1_SecurityProfile {
        .with { $0.profileType = isPrivileged ? .unconfined : .runtimeDefault }
    }

    private var resources: Runtime_V1_LinuxContainerResources {
        .with {
            $0.memoryLimitInBytes = memoryLimitBytes
            guard processors > 0 else { return }
            $0.cpuPeriod = 100_000
            $0.cpuQuota = max(1000, Int64(processors * 100_000))
            $0.cpuShares = min(262_144, max(2, Int64(processors * 1024)))
        }
    }

    private var securityContext: Runtime_V1_LinuxContainerSecurityContext {
        .with {
            $0.namespaceOptions = namespaces
            $0.privileged = isPrivileged
            $0.readonlyRootfs = hasReadOnlyRoot
            $0.seccomp = seccomp
            switch user {
            case .id(let id, let group):
                $0.runAsUser.value = id
                if let group { $0.runAsGroup.value = group }
            case .name(let name): $0.runAsUsername = name
            case nil: break
            }
            guard !isPrivileged else { return }
            // What a kubelet sends for procMount Default: the runtime masks nothing by itself if the lists are empty.
            $0.maskedPaths = Self.maskedPaths
            $0.readonlyPaths = Self.readOnlyPaths
        }
    }

    /// What containers do not see, as a kubelet sends it.
    package static let maskedPaths = [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ]
    /// What containers cannot write.
    package static let readOnlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
}
