package import Model

/// What the daemon has made of a pod before containers come.
package struct PodFacts: Sendable, Equatable {
    package var id: PodID
    /// Files that containers see as /etc/hostname, /etc/hosts and /etc/resolv.conf.
    package var hostnameFile: String
    package var hostsFile: String
    package var resolvConfFile: String
    /// The pod's tmpfs for /dev/shm; not looked at where the pod uses the node's IPC namespace.
    package var sharedMemory: String
    /// Where the network namespace is pinned; empty with the node's network.
    package var networkNamespace: String

    package init(
        id: PodID, hostnameFile: String, hostsFile: String, resolvConfFile: String, sharedMemory: String,
        networkNamespace: String
    ) {
        self.id = id
        self.hostnameFile = hostnameFile
        self.hostsFile = hostsFile
        self.resolvConfFile = resolvConfFile
        self.sharedMemory = sharedMemory
        self.networkNamespace = networkNamespace
    }
}

extension PodConfig {
    package var sharesNodeNetwork: Bool { namespaces.network == .node }
    package var sharesNodeIPC: Bool { namespaces.ipc == .node }

    /// Whether the pod has a PID namespace of its own, held by its init.
    package var hasInit: Bool { namespaces.pid == .pod }

    /// What processes of the pod see as hostname: the pod's, else the node's.
    package func effectiveHostname(node: String) -> String { hostname.isEmpty ? node : hostname }
}
