package import Cgroups
package import Model

/// What running pods and containers use. Conformer: the daemon's adapter on `Cgroups`, /proc and the writable layers.
package protocol StatisticsPort: Sendable {
    /// What the kernel counted for cgroups (paths below the cgroup2 mount), in their order; nil where one is gone.
    func usage(ofCgroups paths: [String]) async throws -> [CgroupUsage?]
    /// The last finished measurements of writable layers. One that is missing or old is made soon, not by this call.
    func writableLayers(of containers: [ContainerID]) async -> [ContainerID: FilesystemUse]
    /// The network interfaces of a pod with a network of its own; nil where its supervisor is gone.
    func interfaces(of pod: PodID) async -> [InterfaceUse]?
    /// What the processes of containers have open, in the order of `places`; nil where the cgroup is gone.
    func processes(of places: [ContainerPlace]) async throws -> [ProcessUse?]
    /// The file system that writable layers are on; nil where it cannot be read.
    func layerVolume() async -> LayerVolume?
    /// Names of block devices as /dev has them; who has none is left out.
    func names(of devices: Set<BlockDevice>) async -> [BlockDevice: String]
}

/// Where a container's processes are found.
package struct ContainerPlace: Sendable, Equatable {
    /// Below the cgroup2 mount.
    package var cgroup: String
    /// Number of the main process.
    package var process: Int32

    package init(cgroup: String, process: Int32) {
        self.cgroup = cgroup
        self.process = process
    }
}

/// Counts of the processes in a container, its execs included. Each is nil where it was not to be had, or had no end.
package struct ProcessUse: Sendable, Equatable {
    package var processes: UInt64?
    package var threads: UInt64?
    package var descriptors: UInt64?
    package var sockets: UInt64?
    /// Soft RLIMIT_NOFILE of the main process; nil without a limit.
    package var descriptorsLimit: UInt64?

    package init(
        processes: UInt64? = nil, threads: UInt64? = nil, descriptors: UInt64? = nil, sockets: UInt64? = nil,
        descriptorsLimit: UInt64? = nil
    ) {
        self.processes = processes
        self.threads = threads
        self.descriptors = descriptors
        self.sockets = sockets
        self.descriptorsLimit = descriptorsLimit
    }
}

/// The file system that writable layers are on.
package struct LayerVolume: Sendable, Equatable {
    /// Its source, as proc_pid_mountinfo(5) has it.
    package var device: String
    package var bytes: UInt64
    /// Zero where the file system makes inodes as it needs them.
    package var inodes: UInt64
    package var freeInodes: UInt64

    package init(device: String, bytes: UInt64, inodes: UInt64, freeInodes: UInt64) {
        self.device = device
        self.bytes = bytes
        self.inodes = inodes
        self.freeInodes = freeInodes
    }
}

/// Numbers of a block device.
package struct BlockDevice: Sendable, Hashable {
    package var major: UInt32
    package var minor: UInt32

    package init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }
}

/// One reading of a cgroup.
package struct CgroupUsage: Sendable, Equatable {
    /// Nanoseconds since 1970 when it was read.
    package var timestamp: Int64
    package var counted: CgroupStatistics
    /// CPU use in billionths of a core since a reading at least a second ago; nil where there was none.
    package var nanoCores: UInt64?

    package init(timestamp: Int64, counted: CgroupStatistics, nanoCores: UInt64?) {
        self.timestamp = timestamp
        self.counted = counted
        self.nanoCores = nanoCores
    }
}

/// Counters of a network interface, as proc_pid_net(5) has them in `dev`.
package struct InterfaceUse: Sendable, Equatable {
    /// One way.
    package struct Traffic: Sendable, Equatable {
        package var bytes: UInt64
        package var packets: UInt64
        package var errors: UInt64
        package var dropped: UInt64

        package init(bytes: UInt64, packets: UInt64, errors: UInt64, dropped: UInt64) {
            self.bytes = bytes
            self.packets = packets
            self.errors = errors
            self.dropped = dropped
        }
    }

    package var name: String
    package var received: Traffic
    package var sent: Traffic

    package init(name: String, received: Traffic, sent: Traffic) {
        self.name = name
        self.received = received
        self.sent = sent
    }
}
