import Cgroups

extension Metrics {
    /// memory.* and hugetlb.*
    static let memory: [Metric<ContainerReading>] = usage + events + hugePages

    private static let usage: [Metric<ContainerReading>] = [
        .gauge("container_memory_usage_bytes", "Memory in use, caches included") { $0.memory?.currentBytes },
        .gauge("container_memory_working_set_bytes", "Memory in use that cannot simply be dropped") {
            $0.memory?.workingSetBytes
        },
        .gauge("container_memory_max_usage_bytes", "The most memory that was ever in use") { $0.memory?.peakBytes },
        .gauge("container_memory_rss", "Anonymous memory, in bytes") { $0.memory?.anonBytes },
        .gauge("container_memory_cache", "Cached parts of files, in bytes") { $0.memory?.fileBytes },
        .gauge("container_memory_mapped_file", "Mapped parts of files, in bytes") { $0.memory?.fileMappedBytes },
        .gauge("container_memory_kernel_usage", "Memory of the kernel on the container's account, in bytes") {
            $0.memory?.kernelBytes
        },
        .gauge("container_memory_swap", "Swap in use, in bytes") { $0.memory?.swapCurrentBytes },
        .gauge("container_memory_total_active_file_bytes", "Cached parts of files that were used lately") {
            $0.memory?.activeFileBytes
        },
        .gauge("container_memory_total_inactive_file_bytes", "Cached parts of files that were not used lately") {
            $0.memory?.inactiveFileBytes
        },
    ]

    /// cgroup v2 counts a container together with what it keeps below itself, so both scopes are the same number.
    private static let events: [Metric<ContainerReading>] = [
        .counter("container_memory_failcnt", "Times that the memory limit was hit") { $0.memory?.events.max },
        .counter(
            "container_memory_failures_total", "Page faults; the major ones had to read from a disk",
            by: ["failure_type", "scope"]
        ) {
            guard let memory = $0.memory else { return [] }
            return ["container", "hierarchy"].flatMap { scope in
                [
                    MetricValue(labels: ["pgfault", scope], number: memory.pageFaults),
                    MetricValue(labels: ["pgmajfault", scope], number: memory.majorPageFaults),
                ]
            }
        },
        .counter("container_oom_events_total", "Processes that were killed for want of memory") {
            $0.memory?.events.oomKill
        },
    ]

    private static let hugePages: [Metric<ContainerReading>] = [
        .gauge("container_hugetlb_usage_bytes", "Huge pages in use, by their size", by: ["pagesize"]) {
            $0.usage.counted.hugetlb.map { MetricValue(labels: [$0.pageSize], number: $0.currentBytes) }
        },
        // No kernel so far has a file for it in cgroup v2.
        .gauge("container_hugetlb_max_usage_bytes", "The most huge pages that were ever in use", by: ["pagesize"]) {
            $0.usage.counted.hugetlb.compactMap { pages in
                pages.peakBytes.map { MetricValue(labels: [pages.pageSize], number: $0) }
            }
        },
    ]
}
