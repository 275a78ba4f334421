import Model
import OCI

/// The CRI's limits in the runtime-spec's words. They are carried out by the daemon on the cgroup, not by the plan.
enum ResourceRules {
    static func resources(_ limits: LinuxResources, devices: [RuntimeResources.DeviceRule]) -> RuntimeResources {
        var out = RuntimeResources()
        out.devices = devices
        var cpu = RuntimeResources.CPU()
        cpu.shares = positive(limits.cpuShares)
        cpu.quota = limits.cpuQuota == 0 ? nil : limits.cpuQuota
        cpu.period = positive(limits.cpuPeriod)
        cpu.cpus = limits.cpusetCPUs
        cpu.mems = limits.cpusetMems
        if cpu != RuntimeResources.CPU() { out.cpu = cpu }
        var memory = RuntimeResources.Memory()
        memory.limit = limits.memoryLimitBytes == 0 ? nil : limits.memoryLimitBytes
        memory.swap = limits.memorySwapLimitBytes == 0 ? nil : limits.memorySwapLimitBytes
        if memory != RuntimeResources.Memory() { out.memory = memory }
        out.pids = limits.pidsLimit.map(RuntimeResources.Pids.init(limit:))
        out.hugepageLimits = limits.hugepageLimits.map { .init(pageSize: $0.pageSize, limit: $0.limitBytes) }
        out.unified = limits.unified
        return out
    }

    private static func positive(_ value: Int64) -> UInt64? { value > 0 ? UInt64(value) : nil }
}
