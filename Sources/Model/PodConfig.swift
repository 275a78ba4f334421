/// Whose namespace an object lives in (CRI `NamespaceMode`).
package enum NamespaceMode: String, Sendable, Equatable, Codable {
    case pod, container, node, target
}

/// The name that the kubelet gives a pod; two live pods never share one.
package struct PodMetadata: Sendable, Hashable, Codable {
    package var name: String
    package var uid: String
    package var namespace: String
    package var attempt: UInt32

    package init(name: String, uid: String, namespace: String, attempt: UInt32) {
        self.name = name
        self.uid = uid
        self.namespace = namespace
        self.attempt = attempt
    }
}

/// Namespace modes of a pod or of a container, user namespaces excepted.
package struct NamespaceModes: Sendable, Equatable, Codable {
    package var network: NamespaceMode = .pod
    package var pid: NamespaceMode = .pod
    package var ipc: NamespaceMode = .pod
    /// Container whose PID namespace is joined; only with `pid == .target`.
    package var targetID: String = ""

    package init() {}
}

/// Which system calls a process may make.
package enum SeccompChoice: Sendable, Equatable, Codable {
    case runtimeDefault
    case unconfined
    /// Absolute path of a JSON profile on the node.
    case localhost(String)
}

package struct DNSConfig: Sendable, Equatable, Codable {
    package var servers: [String] = []
    package var searches: [String] = []
    package var options: [String] = []

    package init() {}
}

package struct PortMapping: Sendable, Equatable, Codable {
    package enum TransportProtocol: String, Sendable, Codable { case tcp, udp, sctp }

    package var `protocol`: TransportProtocol
    /// 1...65535.
    package var containerPort: UInt16
    /// 1...65535; mappings without a host port are dropped at validation.
    package var hostPort: UInt16
    package var hostIP: String

    package init(protocol: TransportProtocol, containerPort: UInt16, hostPort: UInt16, hostIP: String) {
        self.protocol = `protocol`
        self.containerPort = containerPort
        self.hostPort = hostPort
        self.hostIP = hostIP
    }
}

/// What `RunPodSandbox` asks for, validated.
package struct PodConfig: Sendable, Equatable, Codable {
    package var metadata: PodMetadata
    package var hostname: String = ""
    /// Absolute directory for the logs of the pod's containers; empty = no logs.
    package var logDirectory: String = ""
    package var dns: DNSConfig?
    package var portMappings: [PortMapping] = []
    package var labels: [String: String] = [:]
    package var annotations: [String: String] = [:]
    package var cgroupParent: String = ""
    package var sysctls: [String: String] = [:]
    package var namespaces = NamespaceModes()
    package var privileged = false
    package var readonlyRootfs = false
    package var seccomp: SeccompChoice = .runtimeDefault
    package var runAsUser: UInt32?
    package var runAsGroup: UInt32?
    package var supplementalGroups: [UInt32] = []
    /// Informational in the CRI; stored and shown.
    package var overhead: LinuxResources?
    package var resources: LinuxResources?
    package var runtimeHandler: String = ""

    package init(metadata: PodMetadata) { self.metadata = metadata }
}
