import CLICore

/// Processor time of processes.
enum ProcessTime {
    /// Ticks a second of /proc/PID/stat (sysconf(_SC_CLK_TCK)), which is 100 on every Linux of today.
    private static let ticks = 100.0

    /// Seconds that a process and the children that it has waited for have used: utime, stime, cutime and cstime of
    /// proc_pid_stat(5). Nil if it has ended.
    static func seconds(of pid: Int32) -> Double? {
        guard let text = readText("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        // The name in brackets may have spaces; after it comes field 3.
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 14 else { return nil }
        return fields[11...14].compactMap { Double($0) }.reduce(0, +) / ticks
    }
}

extension MemoryTargets {
    /// Of the daemon and all shims together; nil where the daemon is not known.
    func processorSeconds() -> Double? {
        let daemons = daemonPID.map { [$0] } ?? daemonName.map(ProcessMemory.processes) ?? []
        let shims = shimName.map(ProcessMemory.processes) ?? []
        guard !daemons.isEmpty else { return nil }
        return Set(daemons + shims).compactMap(ProcessTime.seconds).reduce(0, +)
    }
}
