import CRIService
import Cgroups
import Linux

/// Counts what the processes of containers have open, by /proc (proc_pid_fd(5)). Every walk has an end: whoever opens
/// descriptors decides neither about our memory nor about our time.
enum ProcessWalk {
    private static let processesMax = 4096
    /// Descriptors of one container, and of one call, that are looked at to tell sockets; a process counts as some of them.
    private static let descriptorsMax = 8192
    private static let budget = 262_144
    private static let limitsBytesMax = 1 << 16

    static func uses(of places: [ContainerPlace], in cgroups: Cgroups) throws -> [ProcessUse?] {
        var left = budget
        return try Adapters.fault { () throws(CgroupError) in
            try places.map { place throws(CgroupError) in
                guard let members = try cgroups.members(CgroupPath(parent: place.cgroup), max: processesMax) else {
                    return nil
                }
                return use(of: members, main: place.process, &left)
            }
        }
    }

    private static func use(of members: CgroupMembers, main: Int32, _ left: inout Int) -> ProcessUse {
        guard members.isWhole else { return ProcessUse() }
        var use = ProcessUse(processes: UInt64(members.processes.count), threads: members.threads)
        var count = DescriptorCount(left: min(descriptorsMax, left))
        for process in members.processes { count.add(process) }
        left -= min(left, count.looked)
        use.descriptors = count.isReadable ? count.all : nil
        use.sockets = count.isReadable && count.isWhole ? count.sockets : nil
        // Only one that is in the cgroup is surely the container's own.
        if members.processes.contains(main) { use.descriptorsLimit = openFilesLimit(of: main) }
        return use
    }

    /// Soft limit of "Max open files" in /proc/PID/limits; nil where there is none, or no such process any more.
    private static func openFilesLimit(of process: Int32) -> UInt64? {
        do throws(Errno) {
            let text = try OwnedFD.open(Path("/proc/\(process)/limits"), .readOnly).readToEnd(max: limitsBytesMax)
            return ProcessLimits.openFiles(String(decoding: text, as: UTF8.self))
        } catch {
            return nil
        }
    }
}

/// The table of proc_pid_limits(5).
enum ProcessLimits {
    static func openFiles(_ text: some StringProtocol) -> UInt64? {
        let name = "Max open files"
        for line in text.split(separator: "\n") where line.hasPrefix(name) {
            return line.dropFirst(name.count).split(separator: " ").first.flatMap { UInt64($0) }
        }
        return nil
    }
}

/// Descriptors of several processes together.
private struct DescriptorCount {
    /// How many may still be looked at one by one.
    var left: Int
    var looked = 0
    var all: UInt64 = 0
    var sockets: UInt64 = 0
    var isWhole = true
    /// False: some process was not looked at, as it was one too many or the kernel does not let us.
    var isReadable = true
    /// What a process costs in descriptors, whatever it has open.
    private static let processCost = 8

    init(left: Int) { self.left = left }

    mutating func add(_ process: Int32) {
        guard looked < left else {
            isReadable = false
            return
        }
        looked += Self.processCost
        do throws(Errno) {
            let directory = try OwnedFD.open(Path("/proc/\(process)/fd"), [.readOnly, .directory])
            // Since Linux 6.2 the size is their number.
            let told = try directory.status().size
            var counted: UInt64 = 0
            while isWhole || told == 0 {
                let part = try directory.entriesPart()
                if part.isEmpty { break }
                for entry in part where !entry.isDot {
                    counted += 1
                    look(at: entry.name, in: directory)
                }
            }
            all += told > 0 ? told : counted
        } catch {
            // It has ended since it was listed; anything else is no number at all.
            if error != .noEntry && error != .noProcess { isReadable = false }
        }
    }

    private mutating func look(at name: [UInt8], in directory: borrowing OwnedFD) {
        guard looked < left else {
            isWhole = false
            return
        }
        looked += 1
        do throws(Errno) {
            if try directory.readSymlink(Path(name)).starts(with: "socket:".utf8) { sockets += 1 }
        } catch {
            // Closed since it was listed.
        }
    }
}
