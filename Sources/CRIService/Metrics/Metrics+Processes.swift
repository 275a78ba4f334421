import Cgroups
import Model

extension Metrics {
    /// Processes, their descriptors, and times.
    static let processes: [Metric<ContainerReading>] = [
        .gauge("container_processes", "Processes in the container") { $0.processes?.processes },
        .gauge("container_threads", "Threads in the container") {
            $0.usage.counted.processes?.current ?? $0.processes?.threads
        },
        .gauge("container_threads_max", "Threads that there may be; 0: no limit") {
            $0.usage.counted.processes.map { $0.limit.value ?? 0 }
        },
        .gauge("container_file_descriptors", "Descriptors that the container's processes have open") {
            $0.processes?.descriptors
        },
        .gauge("container_sockets", "Descriptors among them that are sockets") { $0.processes?.sockets },
        .gauge("container_ulimits_soft", "Soft limits of the first process (setrlimit(2))", by: ["ulimit"]) {
            guard let limit = $0.processes?.descriptorsLimit else { return [] }
            return [MetricValue(labels: ["max_open_files"], number: limit)]
        },
        .gauge("container_last_seen", "When this was read, in seconds since 1970") {
            UInt64(clamping: $0.usage.timestamp / 1_000_000_000)
        },
        .gauge("container_start_time_seconds", "When the container was started, in seconds since 1970") {
            UInt64(clamping: $0.startedAt / 1_000_000_000)
        },
    ]

    /// What was asked for; where nothing was, what holds then.
    static let specification: [Metric<ContainerReading>] = [
        .gauge("container_spec_cpu_period", "Period of the processor quota, in microseconds") {
            $0.resources.cpuPeriod > 0 ? UInt64(clamping: $0.resources.cpuPeriod) : cpuPeriodDefault
        },
        .gauge("container_spec_cpu_quota", "Processor time in each period, in microseconds") {
            $0.resources.cpuQuota > 0 ? UInt64(clamping: $0.resources.cpuQuota) : nil
        },
        .gauge("container_spec_cpu_shares", "Weight against other containers, of which 1024 is the usual one") {
            $0.resources.cpuShares > 0 ? UInt64(clamping: $0.resources.cpuShares) : cpuSharesDefault
        },
        .gauge("container_spec_memory_limit_bytes", "Limit of memory; 0: none") {
            limit(UInt64(clamping: $0.resources.memoryLimitBytes))
        },
        .gauge("container_spec_memory_reservation_limit_bytes", "Memory that is kept for the container; 0: none") {
            $0.memory.map { limit($0.minBytes) }
        },
        .gauge("container_spec_memory_swap_limit_bytes", "Limit of memory and swap together; 0: none") {
            limit(UInt64(clamping: $0.resources.memorySwapLimitBytes))
        },
    ]

    /// The kernel's own (cgroup-v2.rst, cpu.max and cpu.weight).
    private static let cpuPeriodDefault: UInt64 = 100_000
    private static let cpuSharesDefault: UInt64 = 1024

    /// Numbers beyond 2^62 are the kernel's way to say that there is no limit.
    private static func limit(_ bytes: UInt64) -> UInt64 { bytes > 1 << 62 ? 0 : bytes }
}
