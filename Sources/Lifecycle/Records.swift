package import Model

/// What the daemon keeps of a pod on disk; written before it acts, so that a later daemon can undo or adopt.
package struct PodRecord: Sendable, Equatable, Codable {
    package enum Phase: String, Sendable, Codable {
        /// Being made: every name below may or may not exist. Recovery undoes it.
        case creating
        case ready
        /// Stopped, or lost: NOTREADY. Its network may still have to be released (`networkReleased`).
        case stopped
    }

    package var id: PodID
    package var config: PodConfig
    package var phase: Phase
    /// Nanoseconds since 1970.
    package var createdAt: Int64
    /// Boot that the supervisor belongs to; of another boot, nothing of it can be alive.
    package var bootID: String
    package var hostname: String
    /// Addresses of the pod, the primary one first; empty with host network.
    package var addresses: [String] = []
    package var networkReleased = true
    /// Path below the cgroup2 mount, beginning with "/".
    package var cgroup: String
    /// Time that the network plugins took when the pod was made, in microseconds.
    package var networkMicroseconds: Int64 = 0

    package init(
        id: PodID, config: PodConfig, phase: Phase, createdAt: Int64, bootID: String, hostname: String, cgroup: String
    ) {
        self.id = id
        self.config = config
        self.phase = phase
        self.createdAt = createdAt
        self.bootID = bootID
        self.hostname = hostname
        self.cgroup = cgroup
    }
}

/// How a container ended, whoever saw it end.
package struct ContainerExit: Sendable, Equatable, Codable {
    /// Reason of a start that failed: nothing has run.
    package static let startError = "StartError"

    /// 0...255, 128 + signal number, 128 for a failed start, 255 where nobody knows.
    package var code: Int32
    /// "Completed", "Error", "OOMKilled", "StartError", "SupervisorLost" or "Unknown".
    package var reason: String
    package var message: String
    package var startedAt: Int64
    package var finishedAt: Int64

    /// An end is never before its start, whatever was done to the clock in between.
    package init(code: Int32, reason: String, message: String = "", startedAt: Int64, finishedAt: Int64) {
        self.code = code
        self.reason = reason
        self.message = message
        self.startedAt = startedAt
        self.finishedAt = max(finishedAt, startedAt)
    }
}

/// What the daemon keeps of a container on disk.
package struct ContainerRecord: Sendable, Equatable, Codable {
    package enum Phase: String, Sendable, Codable {
        /// Being made: recovery undoes it.
        case creating
        case created
        /// Handed, or about to be handed, to the supervisor: its word and the exit record tell what became of it.
        case started
        /// `exit` says how it ended; no exit record need exist.
        case exited
    }

    package var id: ContainerID
    package var podID: PodID
    package var config: ContainerConfig
    package var image: RuntimeImage
    /// Digest reference of the image where it has one, else its id.
    package var imageReference: String
    package var user: ResolvedUser
    package var phase: Phase
    package var createdAt: Int64
    /// Directories of image volumes, in the order of `image.volumes` that are not covered by a mount of the request.
    package var volumes: [VolumeDirectory] = []
    /// Effective stop signal.
    package var stopSignal: Int32
    package var cgroup: String
    package var exit: ContainerExit?

    package struct VolumeDirectory: Sendable, Equatable, Codable {
        package var containerPath: String
        /// Name of the directory below the container's own.
        package var directory: String

        package init(containerPath: String, directory: String) {
            self.containerPath = containerPath
            self.directory = directory
        }
    }

    package init(
        id: ContainerID, podID: PodID, config: ContainerConfig, image: RuntimeImage, imageReference: String,
        user: ResolvedUser,
        phase: Phase, createdAt: Int64, stopSignal: Int32, cgroup: String
    ) {
        self.id = id
        self.podID = podID
        self.config = config
        self.image = image
        self.imageReference = imageReference
        self.user = user
        self.phase = phase
        self.createdAt = createdAt
        self.stopSignal = stopSignal
        self.cgroup = cgroup
    }
}
