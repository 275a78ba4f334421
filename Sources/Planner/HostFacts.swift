package import Seccomp

/// What the planner has to know of the node and of the daemon's own privileges; read once at start by the caller.
package struct HostFacts: Sendable, Equatable {
    package var kernel: KernelVersion
    /// The node's hostname (`/proc/sys/kernel/hostname`).
    package var hostname: String
    /// `/proc/sys/kernel/cap_last_cap`.
    package var lastCapability: Int
    /// CapPrm of `/proc/self/status`: nobody can give what he does not have.
    package var heldCapabilities: CapabilitySet
    /// Where cgroup2 is mounted, as mountinfo says it.
    package var cgroupMount: String
    /// Directories `/sys/devices/system/cpu/cpuN/thermal_throttle` that exist; they tell of other tenants' load.
    package var thermalThrottlePaths: [String] = []

    package init(
        kernel: KernelVersion, hostname: String, lastCapability: Int, heldCapabilities: CapabilitySet,
        cgroupMount: String
    ) {
        self.kernel = kernel
        self.hostname = hostname
        self.lastCapability = lastCapability
        self.heldCapabilities = heldCapabilities
        self.cgroupMount = cgroupMount
    }

    /// Known to the kernel and ours to give.
    package var givableCapabilities: CapabilitySet {
        CapabilitySet.all(upTo: lastCapability).intersection(heldCapabilities)
    }

    /// Lowering oom_score_adj and raising hard limits need CAP_SYS_RESOURCE; without it values are clamped to what is
    /// allowed.
    package var mayRaiseLimits: Bool { heldCapabilities.contains(.sysResource) }
}

/// A device node of the node, as lstat(2) saw it.
package struct HostDevice: Sendable, Equatable {
    /// As the runtime-spec writes it.
    package enum Kind: String, Sendable { case character = "c", block = "b" }

    package var path: String
    package var kind: Kind
    package var major: UInt32
    package var minor: UInt32
    /// Permission bits.
    package var mode: UInt32
    package var uid: UInt32
    package var gid: UInt32

    package init(path: String, kind: Kind, major: UInt32, minor: UInt32, mode: UInt32, uid: UInt32, gid: UInt32) {
        self.path = path
        self.kind = kind
        self.major = major
        self.minor = minor
        self.mode = mode
        self.uid = uid
        self.gid = gid
    }
}
