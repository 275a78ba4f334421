import CRIProto
import Lifecycle
import Model

extension Translate {
    static func resources(_ resources: Runtime_V1_LinuxContainerResources, _ field: String) throws(Fault)
        -> LinuxResources
    {
        var limits = LinuxResources()
        if resources.cpuPeriod != 0 { try Check.range(resources.cpuPeriod, 1000...1_000_000, "\(field).cpu_period") }
        limits.cpuPeriod = resources.cpuPeriod
        try Check.range(resources.cpuQuota, -1...Int64.max / 1000, "\(field).cpu_quota")
        if resources.cpuQuota > 0 { try Check.range(resources.cpuQuota, 1000...Int64.max / 1000, "\(field).cpu_quota") }
        limits.cpuQuota = resources.cpuQuota
        // cpu.weight's range in the units of cgroup v1; the kubelet sends 2 for "least".
        if resources.cpuShares != 0 { try Check.range(resources.cpuShares, 2...262_144, "\(field).cpu_shares") }
        limits.cpuShares = resources.cpuShares
        try Check.range(resources.memoryLimitInBytes, -1...Int64.max, "\(field).memory_limit_in_bytes")
        limits.memoryLimitBytes = resources.memoryLimitInBytes
        try Check.range(resources.memorySwapLimitInBytes, -1...Int64.max, "\(field).memory_swap_limit_in_bytes")
        limits.memorySwapLimitBytes = resources.memorySwapLimitInBytes
        try Check.range(resources.oomScoreAdj, -1000...1000, "\(field).oom_score_adj")
        limits.oomScoreAdj = resources.oomScoreAdj
        limits.cpusetCPUs = try list(resources.cpusetCpus, "\(field).cpuset_cpus")
        limits.cpusetMems = try list(resources.cpusetMems, "\(field).cpuset_mems")
        try Check.count(resources.hugepageLimits.count, "\(field).hugepage_limits", max: 64)
        for limit in resources.hugepageLimits {
            guard isPageSize(limit.pageSize) else {
                throw Fault.invalid(
                    "\(field).hugepage_limits.page_size: \"\(Check.shortened(limit.pageSize))\" is no size such as \"2MB\""
                )
            }
            limits.hugepageLimits.append(.init(pageSize: limit.pageSize, limitBytes: limit.limit))
        }
        try Check.count(resources.unified.count, "\(field).unified", max: 256)
        for (key, value) in resources.unified {
            try Check.name(key, "\(field).unified")
            guard key.utf8.contains(0x2e), !key.hasPrefix("cgroup.") else {
                throw Fault.invalid("\(field).unified: \"\(key)\" is no file of a controller")
            }
            try Check.text(value, "\(field).unified[\"\(key)\"]", bytesMax: 4096)
        }
        limits.unified = resources.unified
        return limits
    }

    /// A list of numbers and ranges, as cpuset(7) has it.
    private static func list(_ text: String, _ field: String) throws(Fault) -> String {
        guard text.utf8.count <= 4096, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2c || $0 == 0x2d })
        else { throw Fault.invalid("\(field): \"\(Check.shortened(text))\" is no list such as \"0-3,7\"") }
        return text
    }

    private static func isPageSize(_ text: String) -> Bool {
        guard text.utf8.count <= 16, text.hasSuffix("KB") || text.hasSuffix("MB") || text.hasSuffix("GB") else {
            return false
        }
        let digits = text.utf8.dropLast(2)
        return !digits.isEmpty && digits.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Names of the CRI's signals by number, without their prefix; SIGNAL_RUNTIME_DEFAULT is 0.
    private static let signals: [String] =
        [
            "", "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE",
            "POLL",
            "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG",
            "USR1",
            "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN",
        ] + (1...15).map { "RTMIN+\($0)" } + (1...14).reversed().map { "RTMAX-\($0)" } + ["RTMAX"]

    /// The kernel's number of a signal of the CRI; 0 = the runtime's default.
    static func signal(_ signal: Runtime_V1_Signal, _ field: String) throws(Fault) -> Int32 {
        if signal.rawValue == 0 { return 0 }
        guard signals.indices.contains(signal.rawValue), let number = StopSignal.number(signals[signal.rawValue]) else {
            throw Fault.invalid("\(field): unknown value \(signal.rawValue)")
        }
        return number
    }

    /// The CRI's value for a kernel signal number.
    static func signal(number: Int32) -> Runtime_V1_Signal {
        let index = signals.indices.dropFirst().first { StopSignal.number(signals[$0]) == number }
        return index.flatMap { Runtime_V1_Signal(rawValue: $0) } ?? .runtimeDefault
    }
}
