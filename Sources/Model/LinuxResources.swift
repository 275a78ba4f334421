/// Resource limits of a container as the CRI states them (`LinuxContainerResources`); zero and empty mean "not asked for".
package struct LinuxResources: Sendable, Equatable, Codable {
    package struct HugepageLimit: Sendable, Equatable, Codable {
        /// As the kernel names it: "2MB", "1GB".
        package var pageSize: String
        package var limitBytes: UInt64

        package init(pageSize: String, limitBytes: UInt64) {
            self.pageSize = pageSize
            self.limitBytes = limitBytes
        }
    }

    /// Microseconds; 0 = default of 100,000.
    package var cpuPeriod: Int64 = 0
    /// Microseconds in each period; 0 = not asked for, below 0 = no limit.
    package var cpuQuota: Int64 = 0
    /// 2...262144 in cgroup v1 units; 0 = not asked for.
    package var cpuShares: Int64 = 0
    /// 0 = not asked for, -1 = no limit.
    package var memoryLimitBytes: Int64 = 0
    /// Memory and swap together; 0 = not asked for, -1 = no limit.
    package var memorySwapLimitBytes: Int64 = 0
    /// -1000...1000; 0 is a value of its own at creation.
    package var oomScoreAdj: Int64 = 0
    package var cpusetCPUs: String = ""
    package var cpusetMems: String = ""
    package var hugepageLimits: [HugepageLimit] = []
    /// cgroup v2 file name to raw value.
    package var unified: [String: String] = [:]
    /// Not in the CRI: the default of the daemon's configuration; nil = no limit of ours.
    package var pidsLimit: Int64?

    package init() {}
}
