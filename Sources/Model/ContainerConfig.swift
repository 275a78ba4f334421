/// The name that the kubelet gives a container inside its pod.
package struct ContainerMetadata: Sendable, Hashable, Codable {
    package var name: String
    package var attempt: UInt32

    package init(name: String, attempt: UInt32) {
        self.name = name
        self.attempt = attempt
    }
}

/// How mounts made later on one side of a bind mount reach the other (CRI `MountPropagation`, mount_namespaces(7)).
package enum MountPropagation: String, Sendable, Equatable, Codable {
    case `private`, hostToContainer, bidirectional
}

/// A volume of a container.
package struct ContainerMount: Sendable, Equatable, Codable {
    /// Absolute, free of "..".
    package var containerPath: String
    /// Absolute; made as a directory where it is missing.
    package var hostPath: String
    package var readonly = false
    package var propagation: MountPropagation = .private
    /// SELinux is off or the call failed at validation, so this is only echoed.
    package var selinuxRelabel = false

    package init(containerPath: String, hostPath: String) {
        self.containerPath = containerPath
        self.hostPath = hostPath
    }
}

/// A host device, or a directory of them, shown to a container.
package struct ContainerDevice: Sendable, Equatable, Codable {
    package var containerPath: String
    package var hostPath: String
    /// A non-empty subset of "rwm".
    package var permissions: String

    package init(containerPath: String, hostPath: String, permissions: String) {
        self.containerPath = containerPath
        self.hostPath = hostPath
        self.permissions = permissions
    }
}

package struct EnvironmentVariable: Sendable, Equatable, Codable {
    package var name: String
    /// Any bytes but NUL, kept as they came.
    package var value: [UInt8]

    package init(name: String, value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

package enum SupplementalGroupsPolicy: String, Sendable, Equatable, Codable {
    /// The groups that the image's /etc/group gives the user are added.
    case merge
    /// Only the groups of the request.
    case strict
}

/// Who the container's process runs as, as the request says it; the image decides where all are nil.
package struct UserChoice: Sendable, Equatable, Codable {
    package var runAsUser: UInt32?
    package var runAsGroup: UInt32?
    package var runAsUsername: String?
    package var supplementalGroups: [UInt32] = []
    package var groupsPolicy: SupplementalGroupsPolicy = .merge

    package init() {}
}

/// Who it really runs as.
package struct ResolvedUser: Sendable, Equatable, Codable {
    package var uid: UInt32
    package var gid: UInt32
    package var supplementalGroups: [UInt32]
    /// Value of HOME: from the image's /etc/passwd, else "/".
    package var home: String

    package init(uid: UInt32, gid: UInt32, supplementalGroups: [UInt32], home: String) {
        self.uid = uid
        self.gid = gid
        self.supplementalGroups = supplementalGroups
        self.home = home
    }
}

/// Privileges of a container's process.
package struct ContainerSecurity: Sendable, Equatable, Codable {
    package var privileged = false
    /// Names as the request has them, with or without "CAP_", or "ALL".
    package var addCapabilities: [String] = []
    package var dropCapabilities: [String] = []
    package var namespaces = NamespaceModes()
    package var user = UserChoice()
    package var readonlyRootfs = false
    package var noNewPrivileges = false
    /// Nil = the request has no list at all (another client than the kubelet): the defaults apply.
    package var maskedPaths: [String]?
    package var readonlyPaths: [String]?
    /// Nil = unconfined, as the CRI has it.
    package var seccomp: SeccompChoice?

    package init() {}
}

/// What `CreateContainer` asks for, validated.
package struct ContainerConfig: Sendable, Equatable, Codable {
    package var metadata: ContainerMetadata
    /// As the request spells it.
    package var image: String
    package var userSpecifiedImage: String = ""
    package var command: [String] = []
    package var args: [String] = []
    package var workingDirectory: String = ""
    package var environment: [EnvironmentVariable] = []
    package var mounts: [ContainerMount] = []
    package var devices: [ContainerDevice] = []
    package var labels: [String: String] = [:]
    package var annotations: [String: String] = [:]
    /// Relative to the pod's log directory; empty = discard.
    package var logPath: String = ""
    package var stdin = false
    package var stdinOnce = false
    package var tty = false
    package var security = ContainerSecurity()
    package var resources = LinuxResources()
    /// 0 = not asked for; else a signal number of this architecture.
    package var stopSignal: Int32 = 0

    package init(metadata: ContainerMetadata, image: String) {
        self.metadata = metadata
        self.image = image
    }
}

extension ContainerConfig {
    /// Full path of the container's log on the node; empty where it has none.
    package func logFile(in pod: PodConfig) -> String {
        guard !logPath.isEmpty, !pod.logDirectory.isEmpty else { return "" }
        return pod.logDirectory.hasSuffix("/") ? pod.logDirectory + logPath : pod.logDirectory + "/" + logPath
    }
}
