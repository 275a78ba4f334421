/// Limits of a container's cgroup (runtime-spec, config-linux.md, "Control groups"), in the vocabulary of cgroup v1
/// that the specification kept.
package struct RuntimeResources: Codable, Sendable, Equatable {
    /// Applied in order; the last that matches decides.
    @OmitEmpty package var devices: [DeviceRule] = []
    package var memory: Memory?
    package var cpu: CPU?
    package var pids: Pids?
    @OmitEmpty package var hugepageLimits: [HugepageLimit] = []
    /// Raw values of cgroup v2 files.
    @OmitEmpty package var unified: [String: String] = [:]
    package var blockIO: RuntimeLinux.Presence?
    package var network: RuntimeLinux.Presence?
    @OmitEmpty package var rdma: [String: RuntimeLinux.Presence] = [:]

    package init() {}

    /// Allows or denies the use of devices; nil numbers and an empty type stand for all.
    package struct DeviceRule: Codable, Sendable, Equatable {
        package var allow: Bool
        /// "a", "c" or "b".
        @OmitEmpty package var type: String = ""
        package var major: Int64?
        package var minor: Int64?
        /// A subset of "rwm".
        @OmitEmpty package var access: String = ""

        package init(allow: Bool, type: String = "", major: Int64? = nil, minor: Int64? = nil, access: String) {
            self.allow = allow
            self.type = type
            self.major = major
            self.minor = minor
            self.access = access
        }
    }

    /// Bytes; -1 = no limit.
    package struct Memory: Codable, Sendable, Equatable {
        package var limit: Int64?
        package var reservation: Int64?
        /// Memory and swap together.
        package var swap: Int64?
        package var kernel: Int64?
        package var kernelTCP: Int64?
        package var swappiness: UInt64?
        package var disableOOMKiller: Bool?
        package var useHierarchy: Bool?
        package var checkBeforeUpdate: Bool?

        package init() {}
    }

    /// Shares of time, and quota and period in microseconds.
    package struct CPU: Codable, Sendable, Equatable {
        package var shares: UInt64?
        package var quota: Int64?
        package var burst: UInt64?
        package var period: UInt64?
        package var realtimeRuntime: Int64?
        package var realtimePeriod: UInt64?
        @OmitEmpty package var cpus: String = ""
        @OmitEmpty package var mems: String = ""
        package var idle: Int64?

        package init() {}
    }

    /// Number of tasks; -1 = no limit.
    package struct Pids: Codable, Sendable, Equatable {
        package var limit: Int64

        package init(limit: Int64) { self.limit = limit }
    }

    /// Bytes of one page size, named as the kernel does ("2MB").
    package struct HugepageLimit: Codable, Sendable, Equatable {
        package var pageSize: String
        package var limit: UInt64

        package init(pageSize: String, limit: UInt64) {
            self.pageSize = pageSize
            self.limit = limit
        }
    }
}
