/// Everything that one file describes.
package struct Manifest: Sendable {
    package var pods: [PodManifest] = []
    /// Name in its namespace to the object's files.
    package var configMaps: [String: [String: [UInt8]]] = [:]
    package var secrets: [String: [String: [UInt8]]] = [:]

    package init() {}
}

package enum RestartPolicy: String, CaseIterable, Sendable { case Always, OnFailure, Never }
package enum PullPolicy: String, CaseIterable, Sendable { case Always, IfNotPresent, Never }

/// A Pod, as far as it can be run without a kubelet.
package struct PodManifest: Sendable {
    package var name = ""
    package var namespace = "default"
    package var labels: [String: String] = [:]
    package var annotations: [String: String] = [:]
    package var hostname = ""
    package var subdomain = ""
    /// Whether processes see the full name as the host's.
    package var hasFullHostname = false
    package var restartPolicy = RestartPolicy.Always
    /// Seconds.
    package var terminationGrace: Int64 = 30
    /// Seconds that it may run; nil for as long as it will.
    package var activeDeadline: Int64?
    package var hostNetwork = false
    package var hostPID = false
    package var hostIPC = false
    package var sharesProcesses = false
    package var serviceAccount = "default"
    package var runtimeHandler = ""
    package var sysctls: [String: String] = [:]
    package var runAsUser: Int64?
    package var runAsGroup: Int64?
    package var runAsNonRoot: Bool?
    package var fsGroup: Int64?
    package var supplementalGroups: [Int64] = []
    package var seccomp: SeccompChoice?
    /// Names of Secrets with the passwords of registries.
    package var pullSecrets: [String] = []
    package var dns: ResolverManifest?
    /// Lines of /etc/hosts beyond a kubelet's own.
    package var hostAliases: [HostAlias] = []
    package var volumes: [VolumeManifest] = []
    /// Init containers and sidecars, then the main ones, in the file's order.
    package var containers: [ContainerManifest] = []
    /// The document that it was read from, in one spelling: what tells a changed manifest.
    var canonical = ""

    package init() {}
}

package enum SeccompChoice: Equatable, Sendable {
    case runtimeDefault, unconfined
    case localhost(String)
}

package enum ContainerRole: Sendable { case initial, sidecar, main }

package struct ContainerManifest: Sendable {
    package var name = ""
    package var role = ContainerRole.main
    package var image = ""
    package var pullPolicy = PullPolicy.IfNotPresent
    package var command: [String] = []
    package var arguments: [String] = []
    package var workingDirectory = ""
    package var hasTerminal = false
    package var hasStdin = false
    package var environment: [EnvironmentEntry] = []
    package var mounts: [VolumeMount] = []
    package var ports: [ContainerPort] = []
    package var limits: [String: String] = [:]
    package var requests: [String: String] = [:]
    package var security = ContainerSecurity()
    package var startup: Probe?
    package var liveness: Probe?
    package var readiness: Probe?
    package var postStart: LifecycleHook?
    package var preStop: LifecycleHook?
    package var terminationMessagePath = "/dev/termination-log"
    /// Whether the end of the log tells why a container failed that said nothing else.
    package var fallsBackToLog = false

    package init() {}
}

package struct ContainerSecurity: Sendable {
    package var isPrivileged = false
    package var hasReadOnlyRoot = false
    package var allowsEscalation = true
    package var runAsUser: Int64?
    package var runAsGroup: Int64?
    package var runAsNonRoot: Bool?
    package var added: [String] = []
    package var dropped: [String] = []
    package var seccomp: SeccompChoice?
}

package struct ContainerPort: Sendable {
    package var name: String
    package var number: Int64
    package var hostPort: Int64
    package var hostIP: String
    package var networkProtocol: String
}

package enum EnvironmentEntry: Sendable {
    case value(name: String, String)
    case source(name: String, ValueSource, isOptional: Bool, line: Int)
    case all(prefix: String, ValueSource, isOptional: Bool, line: Int)
}

/// Where a value comes from. For `.all` the key is empty.
package enum ValueSource: Sendable {
    case configMap(String, key: String)
    case secret(String, key: String)
    case field(String)
    case resource(container: String, String, divisor: String)
}

package struct VolumeMount: Sendable {
    package var volume: String
    package var path: String
    package var subPath: String
    /// Whether $(NAME) in it stands for a variable of the container.
    package var expandsSubPath = false
    package var isReadOnly: Bool
    package var propagation: String
    package var line = 0
}

package struct VolumeManifest: Sendable {
    package struct Item: Sendable {
        package var key: String
        package var path: String
        package var mode: Int64?
    }

    package struct Downward: Sendable {
        package var path: String
        package var source: ValueSource
        package var mode: Int64?
    }

    package enum Source: Sendable {
        /// Bytes; nil for as much as there is.
        case emptyDir(isInMemory: Bool, sizeLimit: Int64?)
        case hostPath(String, type: String)
        case configMap(String, items: [Item], mode: Int64, isOptional: Bool)
        case secret(String, items: [Item], mode: Int64, isOptional: Bool)
        case downwardAPI([Downward], mode: Int64)
        /// Files of several sources in one directory.
        indirect case projected([Source])
    }

    package var name: String
    package var source: Source
    package var line = 0
}

/// What a hook or a probe does.
package enum Handler: Equatable, Sendable {
    case exec([String])
    case http(path: String, port: String, host: String, headers: [Header], isSecure: Bool)
    case tcp(port: String, host: String)
    /// grpc.health.v1.Health/Check; a service without a name is the server itself.
    case grpc(port: Int64, service: String)
    /// Seconds.
    case sleep(Int64)

    package struct Header: Equatable, Sendable {
        package var name: String
        package var value: String
    }
}

package struct LifecycleHook: Sendable { package var handler: Handler }

package enum ProbeKind: String, CaseIterable, Sendable { case startup, liveness, readiness }

/// Times in seconds; the defaults are the API's.
package struct Probe: Sendable {
    package var handler: Handler
    package var initialDelay: Int64 = 0
    package var period: Int64 = 10
    package var timeout: Int64 = 1
    package var successThreshold: Int64 = 1
    package var failureThreshold: Int64 = 3
    package var terminationGrace: Int64?

    package init(_ handler: Handler) { self.handler = handler }
}

extension ContainerManifest {
    package func probe(_ kind: ProbeKind) -> Probe? {
        switch kind {
        case .startup: startup
        case .liveness: liveness
        case .readiness: readiness
        }
    }

    /// A port by number or by the name that the manifest gives it.
    package func port(_ text: String) -> Int64? {
        Int64(text) ?? ports.first { $0.name == text }?.number
    }
}
