package import Model

extension LinuxResources {
    /// The files of cgroup v2 that hold these limits, in the order for a new cgroup
    /// (Documentation/admin-guide/cgroup-v2.rst and crun's conversion of the version 1 vocabulary). Pure: nothing is
    /// asked of the host.
    package func limitWrites() throws(CgroupError) -> [LimitWrite] {
        var writes: [LimitWrite] = []
        try appendCPU(to: &writes)
        try appendMemory(to: &writes)
        if let pidsLimit { writes.append(LimitWrite("pids.max", pidsLimit <= 0 ? "max" : "\(pidsLimit)")) }
        for limit in hugepageLimits { try Self.append(limit, to: &writes) }
        for key in unified.keys.sorted() {
            guard let value = unified[key] else { continue }
            try Self.checkUnified(key: key, value: value)
            writes.removeAll { $0.file == key }
            writes.append(LimitWrite(key, value))
        }
        return writes
    }

    private func appendCPU(to writes: inout [LimitWrite]) throws(CgroupError) {
        guard cpuShares >= 0 else { throw .badLimit(field: "cpu_shares", why: "\(cpuShares) is negative") }
        if cpuShares > 0 { writes.append(LimitWrite("cpu.weight", "\(CPUWeight.weight(ofShares: cpuShares))")) }
        if cpuQuota != 0 || cpuPeriod != 0 {
            // The kernel answers EINVAL for these with no hint at the reason (kernel/sched/core.c
            // tg_set_cfs_bandwidth).
            let period = cpuPeriod == 0 ? 100_000 : cpuPeriod
            guard (1000...1_000_000).contains(period) else {
                throw .badLimit(field: "cpu_period", why: "\(period) is not within 1000...1000000 microseconds")
            }
            guard cpuQuota <= 0 || cpuQuota >= 1000 else {
                throw .badLimit(field: "cpu_quota", why: "\(cpuQuota) is below 1000 microseconds")
            }
            writes.append(LimitWrite("cpu.max", cpuQuota > 0 ? "\(cpuQuota) \(period)" : "max \(period)"))
        }
        if !cpusetCPUs.isEmpty { writes.append(try Self.cpuset("cpuset.cpus", cpusetCPUs, field: "cpuset_cpus")) }
        if !cpusetMems.isEmpty { writes.append(try Self.cpuset("cpuset.mems", cpusetMems, field: "cpuset_mems")) }
    }

    private static func cpuset(_ file: String, _ list: String, field: String) throws(CgroupError) -> LimitWrite {
        let isList = list.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2c || $0 == 0x2d }
        guard isList, list.utf8.count <= 4096 else {
            throw .badLimit(field: field, why: "\"\(list.prefix(64))\" is not a list such as \"0-3,7\"")
        }
        return LimitWrite(file, list)
    }

    private func appendMemory(to writes: inout [LimitWrite]) throws(CgroupError) {
        guard memoryLimitBytes >= -1 else {
            throw .badLimit(field: "memory_limit_in_bytes", why: "\(memoryLimitBytes) is below -1")
        }
        if memoryLimitBytes != 0 {
            writes.append(LimitWrite("memory.max", memoryLimitBytes < 0 ? "max" : "\(memoryLimitBytes)"))
        }
        switch memorySwapLimitBytes {
        case 0:
            // As containerd: memory alone limited means no swap beside it. A kernel without swap accounting has no
            // file, and then also nothing that a container could take.
            if memoryLimitBytes > 0 { writes.append(LimitWrite("memory.swap.max", "0", mayBeMissing: true)) }
        case -1:
            writes.append(LimitWrite("memory.swap.max", "max"))
        case let limit where limit > 0 && memoryLimitBytes > 0 && limit >= memoryLimitBytes:
            let swap = limit - memoryLimitBytes
            writes.append(LimitWrite("memory.swap.max", "\(swap)", mayBeMissing: swap == 0))
        case let limit where limit > 0 && memoryLimitBytes <= 0:
            throw .badLimit(field: "memory_swap_limit_in_bytes", why: "\(limit) without a limit of memory itself")
        case let limit:
            throw .badLimit(
                field: "memory_swap_limit_in_bytes",
                why: "\(limit) is memory and swap together and cannot be below the memory limit \(memoryLimitBytes)")
        }
    }

    /// The kubelet sends a zero for every page size that the node knows, which a kernel without the controller also
    /// means.
    private static func append(_ limit: HugepageLimit, to writes: inout [LimitWrite]) throws(CgroupError) {
        let size = limit.pageSize
        let digits = size.utf8.prefix { (0x30...0x39).contains($0) }.count
        guard (1...9).contains(digits), ["KB", "MB", "GB"].contains(size.dropFirst(digits)) else {
            throw .badLimit(
                field: "hugepage_limits", why: "page size \"\(size.prefix(32))\" is not a number and KB, MB or GB")
        }
        let isZero = limit.limitBytes == 0
        for file in ["hugetlb.\(size).max", "hugetlb.\(size).rsvd.max"] {
            writes.append(LimitWrite(file, "\(limit.limitBytes)", mayBeMissing: isZero))
        }
    }

    /// A key is a plain file name of a controller. The core files (`cgroup.procs`, `cgroup.subtree_control`, ...) are
    /// no limits, except for the two that bound the subtree.
    private static func checkUnified(key: String, value: String) throws(CgroupError) {
        let isPlain = key.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
            default: false
            }
        }
        guard isPlain, key.utf8.count <= 128, key.contains("."), !key.hasPrefix("."), !key.contains("..") else {
            throw .badLimit(field: "unified", why: "\"\(key.prefix(64))\" is not a file name of a controller")
        }
        guard !key.hasPrefix("cgroup.") || ["cgroup.max.depth", "cgroup.max.descendants"].contains(key) else {
            throw .badLimit(field: "unified", why: "\"\(key)\" is not a limit")
        }
        guard value.utf8.count <= 4096, !value.utf8.contains(0) else {
            throw .badLimit(field: "unified", why: "the value of \"\(key)\" is longer than 4096 bytes or holds a NUL")
        }
    }
}
