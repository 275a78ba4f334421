import Foundation

/// What the checks may ask of a node. They only read; what cannot be read is nil, and a check says so where it matters.
protocol NodePort: Sendable {
    /// The whole text of a file, up to 1 MiB of it.
    func text(_ path: String) -> String?

    /// The names in a directory, sorted.
    func names(_ directory: String) -> [String]?

    /// What a symbolic link says.
    func link(_ path: String) -> String?

    /// What stands at a path, links followed.
    func kind(_ path: String) -> NodeFileKind?

    /// Who may reach what stands at a path, links followed.
    func access(_ path: String) -> NodeAccess?

    /// Room on the filesystem of a path.
    func room(_ path: String) -> NodeRoom?
}

enum NodeFileKind: Equatable, Sendable {
    case directory, socket, other
    case file(executable: Bool)
}

/// Owner and permission bits.
struct NodeAccess: Equatable, Sendable {
    var user: UInt32
    var mode: UInt32
}

/// Room on a filesystem; a filesystem that does not count its inodes has 0 of them.
struct NodeRoom: Equatable, Sendable {
    var bytes: UInt64
    var freeBytes: UInt64
    var inodes: UInt64
    var freeInodes: UInt64
}

extension NodePort {
    /// A file's text without the white space around it.
    func word(_ path: String) -> String? { text(path)?.trimmingCharacters(in: .whitespacesAndNewlines) }

    /// The words of a file.
    func words(_ path: String) -> Set<String>? {
        text(path).map { Set($0.split(whereSeparator: \.isWhitespace).map(String.init)) }
    }

    /// The value of a "Name: value" line, as /proc/PID/status has them.
    func field(_ name: String, of path: String) -> String? {
        let line = text(path)?.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return line.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    /// The mounts that this process sees.
    func mounts() -> [NodeMount] {
        (text("/proc/self/mountinfo") ?? "").split(separator: "\n").compactMap { NodeMount(line: $0) }
    }
}

/// A line of /proc/PID/mountinfo (proc(5)).
struct NodeMount: Equatable, Sendable {
    var point: String
    var type: String
    var isShared: Bool
    var options: Set<String>
    /// Of the filesystem itself: for cgroup version 1 the names of its controllers.
    var superOptions: Set<String>

    init?(line: Substring) {
        let words = line.split(separator: " ").map(String.init)
        guard words.count >= 9, let dash = words.dropFirst(6).firstIndex(of: "-"), dash + 1 < words.count else {
            return nil
        }
        point = words[4]
        type = words[dash + 1]
        isShared = words[6..<dash].contains { $0.hasPrefix("shared:") }
        options = Set(words[5].split(separator: ",").map(String.init))
        superOptions = Set((words.dropFirst(dash + 3).first ?? "").split(separator: ",").map(String.init))
    }

    /// Whether a path is below the mount's point.
    func holds(_ path: String) -> Bool { point == "/" || path == point || path.hasPrefix(point + "/") }
}

extension [NodeMount] {
    /// The mount that a path is on.
    func of(_ path: String) -> NodeMount? {
        var found: NodeMount?
        // Of two mounts at one point the later covers the earlier.
        for mount in self where mount.holds(path) && mount.point.count >= found?.point.count ?? 0 { found = mount }
        return found
    }
}
