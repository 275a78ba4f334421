import CLICore
import CRIProto
import FoundationEssentials
import Play
import SwiftProtobuf

/// The labels by which `play` finds again what it made.
enum PlayLabel {
    /// On pods and containers; the value is the pod's uid, which also names its directory.
    static let pod = "io.swiftlet.play"
    /// On containers: "main", or a sidecar's number: sidecars are stopped in reverse.
    static let order = "io.swiftlet.play.order"
    /// An annotation of pods: the seconds of termination grace.
    static let grace = "io.swiftlet.play.grace"
    /// An annotation of pods: what they were made of (`Manifest.fingerprint`).
    static let manifest = "io.swiftlet.play.manifest"
    /// An annotation of containers, the kubelet's: how often the container was restarted before.
    static let restarts = "io.kubernetes.container.restartCount"
}

/// One pod of a manifest in the CRI's words.
struct PodPlan: Sendable {
    let manifest: Manifest
    let pod: PodManifest
    let uid: String
    let directory: PodDirectory
    let nodeMemoryBytes: Int64
    /// What the node's resolv.conf says.
    var nodeResolver = ResolverSettings()

    var name: String { "\(pod.namespace)/\(pod.name)" }

    /// What the pod is made of.
    var fingerprint: String { manifest.fingerprint(of: pod, salt: uid) }

    // MARK: - The pod

    var sandbox: Runtime_V1_PodSandboxConfig {
        .with {
            $0.metadata.name = pod.name
            $0.metadata.namespace = pod.namespace
            $0.metadata.uid = uid
            $0.hostname = pod.hostNetwork ? "" : pod.ownHostname
            if let dns = pod.dns {
                let settings = dns.merged(with: nodeResolver)
                $0.dnsConfig.servers = settings.servers
                $0.dnsConfig.searches = settings.searches
                $0.dnsConfig.options = settings.options
            }
            $0.logDirectory = directory.logs
            $0.labels = pod.labels.merging(podLabels) { $1 }
            $0.annotations = pod.annotations.merging([
                PlayLabel.grace: String(pod.terminationGrace), PlayLabel.manifest: fingerprint,
            ]) { $1 }
            $0.portMappings = pod.containers.flatMap(\.ports).filter { $0.hostPort > 0 }.map(Self.mapping)
            $0.linux.sysctls = pod.sysctls
            $0.linux.securityContext.namespaceOptions = namespaces
            $0.linux.securityContext.privileged = pod.containers.contains { $0.security.isPrivileged }
            $0.linux.securityContext.supplementalGroups = groups
            $0.linux.securityContext.seccomp = Self.profile(pod.seccomp ?? .runtimeDefault)
            if let user = pod.runAsUser {
                $0.linux.securityContext.runAsUser.value = user
                if let group = pod.runAsGroup { $0.linux.securityContext.runAsGroup.value = group }
            }
        }
    }

    private var podLabels: [String: String] {
        [
            "io.kubernetes.pod.name": pod.name, "io.kubernetes.pod.namespace": pod.namespace,
            "io.kubernetes.pod.uid": uid, PlayLabel.pod: uid,
        ]
    }

    private var namespaces: Runtime_V1_NamespaceOption {
        .with {
            $0.network = pod.hostNetwork ? .node : .pod
            $0.pid = pod.hostPID ? .node : pod.sharesProcesses ? .pod : .container
            $0.ipc = pod.hostIPC ? .node : .pod
        }
    }

    private var groups: [Int64] { pod.supplementalGroups + (pod.fsGroup.map { [$0] } ?? []) }

    private static func mapping(_ port: ContainerPort) -> Runtime_V1_PortMapping {
        .with {
            $0.containerPort = Int32(clamping: port.number)
            $0.hostPort = Int32(clamping: port.hostPort)
            $0.hostIp = port.hostIP
            $0.protocol = port.networkProtocol == "UDP" ? .udp : port.networkProtocol == "SCTP" ? .sctp : .tcp
        }
    }

    private static func profile(_ choice: SeccompChoice) -> Runtime_V1_SecurityProfile {
        .with {
            switch choice {
            case .runtimeDefault: $0.profileType = .runtimeDefault
            case .unconfined: $0.profileType = .unconfined
            case .localhost(let file):
                $0.profileType = .localhost
                $0.localhostRef = file
            }
        }
    }

    // MARK: - Containers

    /// The name of a container's log below the pod's directory of logs, as a kubelet has it.
    static func logName(_ name: String, _ attempt: Int) -> String { "\(name)/\(attempt).log" }

    /// One attempt of a container.
    func container(
        _ spec: ContainerManifest, attempt: Int, restarts: Int, image: Runtime_V1_Image, facts: PodFacts
    ) throws(ManifestError) -> Runtime_V1_ContainerConfig {
        let environment = try ValueResolver(manifest, pod, facts).environment(of: spec)
        let values = Dictionary(environment.map { ($0.name, $0.value) }) { $1 }
        let security = try securityContext(of: spec, image)
        var mounts: [Runtime_V1_Mount] = []
        for index in spec.mounts.indices { mounts += try mount(index, of: spec, values) }
        return .with {
            $0.metadata.name = spec.name
            $0.metadata.attempt = UInt32(clamping: attempt)
            $0.image.image = image.id.isEmpty ? spec.image : image.id
            $0.image.userSpecifiedImage = spec.image
            $0.command = spec.command.map { expanded($0, values) }
            $0.args = spec.arguments.map { expanded($0, values) }
            $0.workingDir = spec.workingDirectory
            $0.envs = environment.map { variable in
                .with {
                    $0.key = variable.name
                    $0.value = .init(variable.value.utf8)
                }
            }
            $0.mounts = mounts
            if !spec.mounts.contains(where: { $0.path == "/etc/hosts" }) {
                $0.mounts.append(
                    .with {
                        $0.containerPath = "/etc/hosts"
                        $0.hostPath = directory.hosts
                    })
            }
            $0.mounts.append(
                .with {
                    $0.containerPath = spec.terminationMessagePath
                    $0.hostPath = directory.message(spec.name, attempt)
                })
            $0.tty = spec.hasTerminal
            $0.stdin = spec.hasStdin
            $0.logPath = Self.logName(spec.name, attempt)
            $0.labels = podLabels.merging(["io.kubernetes.container.name": spec.name, PlayLabel.order: order(spec)]) {
                $1
            }
            $0.annotations = [PlayLabel.restarts: String(restarts)]
            $0.linux.resources = resources(of: spec)
            $0.linux.securityContext = security
        }
    }

    private func order(_ spec: ContainerManifest) -> String {
        guard spec.role == .sidecar else { return "main" }
        return String(pod.containers.firstIndex { $0.name == spec.name } ?? 0)
    }

    private func resources(of spec: ContainerManifest) -> Runtime_V1_LinuxContainerResources {
        .with {
            // The kubelet's formulas; shares have the kernel's bounds, and a quota is at least a millisecond.
            let request = spec.request("cpu")?.thousandths ?? 0
            $0.cpuShares = min(262_144, max(2, request.multipliedReportingOverflow(by: 1024).partialValue / 1000))
            if let limit = spec.limits["cpu"].flatMap(Quantity.init)?.thousandths, limit > 0, limit < 1_000_000_000 {
                $0.cpuPeriod = 100_000
                $0.cpuQuota = max(1000, limit * 100)
            }
            $0.memoryLimitInBytes = spec.limits["memory"].flatMap(Quantity.init)?.whole ?? 0
            $0.oomScoreAdj = pod.killScore(of: spec, nodeMemoryBytes: nodeMemoryBytes)
        }
    }

    private func securityContext(
        of spec: ContainerManifest, _ image: Runtime_V1_Image
    ) throws(ManifestError) -> Runtime_V1_LinuxContainerSecurityContext {
        let security = spec.security
        let user = security.runAsUser ?? pod.runAsUser ?? (image.hasUid ? image.uid.value : nil)
        if security.runAsNonRoot ?? pod.runAsNonRoot ?? false {
            if user == 0 || (user == nil && image.username.isEmpty) {
                throw ManifestError("container has runAsNonRoot and would run as root")
            }
            if user == nil {
                throw ManifestError("container has runAsNonRoot and image has non-numeric user \"\(image.username)\"")
            }
        }
        let isPrivileged = security.isPrivileged
        return .with {
            $0.namespaceOptions = namespaces
            $0.privileged = isPrivileged
            $0.readonlyRootfs = security.hasReadOnlyRoot
            $0.noNewPrivs = !security.allowsEscalation
            $0.supplementalGroups = groups
            $0.seccomp = Self.profile(
                isPrivileged ? .unconfined : security.seccomp ?? pod.seccomp ?? .runtimeDefault)
            if let user { $0.runAsUser.value = user } else { $0.runAsUsername = image.username }
            if let group = security.runAsGroup ?? pod.runAsGroup { $0.runAsGroup.value = group }
            $0.capabilities.addCapabilities = security.added
            $0.capabilities.dropCapabilities = security.dropped
            guard !isPrivileged else { return }
            $0.maskedPaths = Workload.maskedPaths
            $0.readonlyPaths = Workload.readOnlyPaths
        }
    }
}
