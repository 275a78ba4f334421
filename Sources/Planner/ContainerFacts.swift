package import LaunchProtocol
package import Model
package import Seccomp

/// What the daemon has made of a container before it is described.
package struct ContainerFacts: Sendable, Equatable {
    package var id: ContainerID
    /// The empty directory of the node on which the root overlay is attached, inside the container's own mount
    /// namespace.
    package var anchor: String
    /// Path of the container's cgroup below the cgroup2 mount.
    package var cgroupPath: String
    /// One for each volume of the image that is to be mounted.
    package var volumes: [ImageVolume] = []
    /// For a privileged container all of the node's devices, else those that the request names, directories opened up.
    package var devices: [HostDevice] = []
    /// The decoded profile where the request names a file.
    package var localhostProfile: SeccompProfile?
    /// The node's mount table, needed where a mount is to propagate. Nil for a container that has started already:
    /// what it propagates was decided then.
    package var hostMounts: HostMounts? = HostMounts()
    /// Host paths of such mounts that are or pass through links, and what realpath(3) made of them.
    package var resolvedSources: [String: String] = [:]

    package init(id: ContainerID, anchor: String, cgroupPath: String) {
        self.id = id
        self.anchor = anchor
        self.cgroupPath = cgroupPath
    }
}

/// A volume that the image declares, and the directory of this container that stands in for it.
package struct ImageVolume: Sendable, Equatable {
    package var path: String
    package var directory: String

    package init(path: String, directory: String) {
        self.path = path
        self.directory = directory
    }
}

/// The layers of a container's root file system.
package struct ContainerRootfs: Sendable, Equatable {
    /// Absolute; all other names are relative to it.
    package var directory: String
    /// Lowest first, as `RuntimeImage.layers` has them.
    package var layers: [String]
    package var upper: String
    package var work: String

    package init(directory: String, layers: [String], upper: String, work: String) {
        self.directory = directory
        self.layers = layers
        self.upper = upper
        self.work = work
    }
}

/// What a launch needs besides the description: things that are of the moment and that nobody wants to inspect.
package struct LaunchFacts: Sendable, Equatable {
    package var rootfs: ContainerRootfs
    package var pod: PodConfig
    /// Descriptor of the log file that goes with the request; nil = output is dropped.
    package var log: DescriptorSlot?
    package var logLimits = LogLimits.none
    /// A pipe for stdin is kept for attach.
    package var keepsStdin = false
    /// Where the launch waits for the daemon's go.
    package var holds: [HoldPoint] = []
    package var deadlineMilliseconds: UInt32 = 60_000

    package init(rootfs: ContainerRootfs, pod: PodConfig, log: DescriptorSlot?) {
        self.rootfs = rootfs
        self.pod = pod
        self.log = log
    }
}

/// A further process in a running container.
package struct ExecRequest: Sendable, Equatable {
    /// Where standard input, output and error of the process are.
    package enum Streams: Sendable, Equatable {
        /// Descriptors of the request; nil = /dev/null.
        case passed(stdin: DescriptorSlot?, stdout: DescriptorSlot?, stderr: DescriptorSlot?)
        /// A terminal, whose other end comes with the answer.
        case terminal(rows: UInt16, columns: UInt16)
    }

    package var command: [String]
    package var streams: Streams
    package var deadlineMilliseconds: UInt32 = 60_000

    package init(command: [String], streams: Streams) {
        self.command = command
        self.streams = streams
    }
}
