import Cgroups

extension Metrics {
    /// cpu.stat, and time lost to pressure.
    static let processor: [Metric<ContainerReading>] =
        [
            .counter("container_cpu_user_seconds_total", "Processor time spent in programs, in seconds") {
                seconds(microseconds: $0.cpu?.userMicroseconds)
            },
            .counter("container_cpu_system_seconds_total", "Processor time spent in the kernel, in seconds") {
                seconds(microseconds: $0.cpu?.systemMicroseconds)
            },
            .counter("container_cpu_usage_seconds_total", "Processor time spent, in seconds", by: ["cpu"]) {
                guard let used = seconds(microseconds: $0.cpu?.usageMicroseconds) else { return [] }
                return [MetricValue(labels: ["total"], number: used)]
            },
            .counter("container_cpu_cfs_periods_total", "Periods of the processor quota that have begun") {
                $0.cpu?.periods
            },
            .counter("container_cpu_cfs_throttled_periods_total", "Periods in which the processor quota was used up") {
                $0.cpu?.throttledPeriods
            },
            .counter("container_cpu_cfs_throttled_seconds_total", "Time held back by the processor quota, in seconds") {
                seconds(microseconds: $0.cpu?.throttledMicroseconds)
            },
        ] + pressure

    private static let pressure: [Metric<ContainerReading>] = [
        .counter("container_pressure_cpu_waiting_seconds_total", "Time in which a task waited for a processor") {
            waiting($0.usage.counted.pressure.cpu)
        },
        .counter("container_pressure_cpu_stalled_seconds_total", "Time in which all tasks waited for a processor") {
            stalled($0.usage.counted.pressure.cpu)
        },
        .counter("container_pressure_memory_waiting_seconds_total", "Time in which a task waited for memory") {
            waiting($0.usage.counted.pressure.memory)
        },
        .counter("container_pressure_memory_stalled_seconds_total", "Time in which all tasks waited for memory") {
            stalled($0.usage.counted.pressure.memory)
        },
        .counter("container_pressure_io_waiting_seconds_total", "Time in which a task waited for a disk") {
            waiting($0.usage.counted.pressure.io)
        },
        .counter("container_pressure_io_stalled_seconds_total", "Time in which all tasks waited for a disk") {
            stalled($0.usage.counted.pressure.io)
        },
    ]

    private static func waiting(_ pressure: CgroupStatistics.Pressure?) -> UInt64? {
        seconds(microseconds: pressure?.some.totalMicroseconds)
    }

    private static func stalled(_ pressure: CgroupStatistics.Pressure?) -> UInt64? {
        seconds(microseconds: pressure?.full?.totalMicroseconds)
    }
}
