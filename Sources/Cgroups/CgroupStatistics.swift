/// What the kernel has counted for one cgroup and everything below it. A part is nil where its controller is not
/// enabled.
package struct CgroupStatistics: Sendable, Equatable {
    package var cpu: CPU?
    package var memory: Memory?
    package var processes: Processes?
    package var io: [DeviceIO] = []
    package var hugetlb: [Hugetlb] = []
    package var pressure = PressureSet()

    package init() {}

    /// cpu.stat
    package struct CPU: Sendable, Equatable {
        package var usageMicroseconds: UInt64
        package var userMicroseconds: UInt64
        package var systemMicroseconds: UInt64
        /// Nil where the controller is not enabled: only the three above are always there.
        package var periods: UInt64?
        package var throttledPeriods: UInt64?
        package var throttledMicroseconds: UInt64?

        package var usageNanoseconds: UInt64 { usageMicroseconds.multipliedReportingOverflow(by: 1000).partialValue }
    }

    /// memory.*
    package struct Memory: Sendable, Equatable {
        package var currentBytes: UInt64
        /// Nil before Linux 5.19.
        package var peakBytes: UInt64?
        package var limit: CgroupLimit
        package var minBytes: UInt64 = 0
        package var swapCurrentBytes: UInt64?
        package var swapLimit: CgroupLimit?
        package var anonBytes: UInt64 = 0
        package var fileBytes: UInt64 = 0
        package var kernelBytes: UInt64 = 0
        package var fileMappedBytes: UInt64 = 0
        package var activeFileBytes: UInt64 = 0
        package var inactiveFileBytes: UInt64 = 0
        package var pageFaults: UInt64 = 0
        package var majorPageFaults: UInt64 = 0
        package var events = MemoryEvents()

        /// What cannot be had back without swapping or killing, as cAdvisor and the kubelet define it.
        package var workingSetBytes: UInt64 { currentBytes > inactiveFileBytes ? currentBytes - inactiveFileBytes : 0 }
        /// Room up to the limit; nil without one.
        package var availableBytes: UInt64? {
            limit.value.map { $0 > workingSetBytes ? $0 - workingSetBytes : 0 }
        }
    }

    /// memory.events
    package struct MemoryEvents: Sendable, Equatable {
        package var low: UInt64 = 0
        package var high: UInt64 = 0
        /// Times the limit was hit.
        package var max: UInt64 = 0
        package var oom: UInt64 = 0
        /// Processes of the cgroup that the OOM killer ended.
        package var oomKill: UInt64 = 0
        package var oomGroupKill: UInt64 = 0

        package init() {}

        package init(_ text: some StringProtocol) {
            let values = KeyedText.flat(text)
            low = values["low"] ?? 0
            high = values["high"] ?? 0
            max = values["max"] ?? 0
            oom = values["oom"] ?? 0
            oomKill = values["oom_kill"] ?? 0
            oomGroupKill = values["oom_group_kill"] ?? 0
        }
    }

    /// pids.*
    package struct Processes: Sendable, Equatable {
        package var current: UInt64
        package var limit: CgroupLimit

        package init(current: UInt64, limit: CgroupLimit) {
            self.current = current
            self.limit = limit
        }
    }

    /// A line of io.stat
    package struct DeviceIO: Sendable, Equatable {
        package var major: UInt32
        package var minor: UInt32
        package var readBytes: UInt64
        package var writtenBytes: UInt64
        package var reads: UInt64
        package var writes: UInt64
    }

    /// hugetlb.SIZE.*
    package struct Hugetlb: Sendable, Equatable {
        package var pageSize: String
        package var currentBytes: UInt64
        /// Times an allocation failed for the limit.
        package var limitHits: UInt64
        /// Nil on kernels without hugetlb.SIZE.peak, which are all so far.
        package var peakBytes: UInt64?

        package init(pageSize: String, currentBytes: UInt64, limitHits: UInt64) {
            self.pageSize = pageSize
            self.currentBytes = currentBytes
            self.limitHits = limitHits
        }
    }

    /// cpu.pressure, memory.pressure, io.pressure
    package struct PressureSet: Sendable, Equatable {
        package var cpu: Pressure?
        package var memory: Pressure?
        package var io: Pressure?

        package init() {}
    }

    /// Time that processes waited (PSI, Documentation/accounting/psi.rst).
    package struct Pressure: Sendable, Equatable {
        package struct Line: Sendable, Equatable {
            package var average10: Double
            package var average60: Double
            package var average300: Double
            package var totalMicroseconds: UInt64
        }

        /// Some process waited.
        package var some: Line
        /// All of them did; older kernels have no such line for the CPU.
        package var full: Line?
    }
}
