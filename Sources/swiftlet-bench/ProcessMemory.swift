import CLICore
import Foundation

/// Memory of processes as their proportional share (PSS), which counts shared pages once over all who share them.
enum ProcessMemory {
    /// A process's PSS in KiB; nil if it has ended or belongs to others (proc_pid_smaps_rollup, proc(5)).
    static func kibibytes(of pid: Int32) -> Int? {
        guard let text = readText("/proc/\(pid)/smaps_rollup") else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("Pss:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    /// The processes whose name, or the name of whose program, begins with this.
    static func processes(named name: String) -> [Int32] {
        let entries: [String]
        do {
            entries = try FileManager.default.contentsOfDirectory(atPath: "/proc")
        } catch {
            return []
        }
        return entries.compactMap { Int32($0) }.filter { pid in
            let command = readText("/proc/\(pid)/comm") ?? ""
            let program = readText("/proc/\(pid)/cmdline")?.prefix { $0 != "\0" }.split(separator: "/").last ?? ""
            // The kernel keeps 15 bytes of a name.
            return command.hasPrefix(name.prefix(15)) || program.hasPrefix(name)
        }.sorted()
    }
}

/// Whose memory to measure.
struct MemoryTargets: Sendable {
    var daemonPID: Int32?
    var daemonName: String?
    /// Name of the processes that live as long as their pods.
    var shimName: String?

    func daemonKibibytes() -> Int? {
        let pids = daemonPID.map { [$0] } ?? daemonName.map(ProcessMemory.processes) ?? []
        let sizes = pids.compactMap(ProcessMemory.kibibytes)
        return sizes.isEmpty ? nil : sizes.reduce(0, +)
    }

    /// The memory of all shims and how many there are.
    func shims() -> (count: Int, kibibytes: Int)? {
        guard let shimName else { return nil }
        let sizes = ProcessMemory.processes(named: shimName).compactMap(ProcessMemory.kibibytes)
        return (sizes.count, sizes.reduce(0, +))
    }
}
