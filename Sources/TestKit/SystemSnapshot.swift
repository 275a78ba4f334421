import Foundation

/// What this process and the node hold at one moment, as sorted readable lines under one heading each.
package struct SystemSnapshot: Sendable, Equatable {
    package var sections: [String: [String]]

    /// - Parameters:
    ///   - directories: trees whose files are listed.
    ///   - cgroup: a cgroup directory, below which those whose name has the mark are listed.
    ///   - mark: what the names of the test's own directories and cgroups have in them. The machine may be shared: of mounts
    ///     in temporary places, cgroups and processes only those with the mark count.
    package static func take(mark: String, directories: [String] = [], cgroup: String? = nil) -> Self {
        var sections = [
            "descriptors": descriptors(), "mounts": mounts(mark), "children": children(), "processes": processes(mark),
        ]
        for directory in directories { sections["files \(directory)"] = listTree(directory) }
        if let cgroup { sections["cgroups"] = cgroupTree(cgroup, mark) }
        return SystemSnapshot(sections: sections)
    }

    /// What `later` has more (`+`) or less (`-`) than this, one line each; empty when nothing has leaked.
    package func difference(to later: SystemSnapshot) -> [String] {
        Set(sections.keys).union(later.sections.keys).sorted().flatMap { name in
            let change = (later.sections[name] ?? []).difference(from: sections[name] ?? [])
            return change.map { change in
                switch change {
                case .insert(_, let line, _): "+ \(name): \(line)"
                case .remove(_, let line, _): "- \(name): \(line)"
                }
            }
        }
    }

    /// Open descriptors by what they are: numbers may change, the count of each kind may not.
    private static func descriptors() -> [String] {
        guard let directory = opendir("/proc/self/fd") else { return ["unreadable"] }
        let own = dirfd(directory)
        var found: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let number = Int32(name), number != own else { continue }
            var target = [UInt8](repeating: 0, count: 512)
            let count = readlink("/proc/self/fd/\(name)", &target, target.count)
            guard count > 0 else { continue }
            let text = String(decoding: target.prefix(count), as: UTF8.self)
            let isNumbered = text.hasPrefix("pipe:[") || text.hasPrefix("socket:[")
            let kind = isNumbered ? String(text.prefix { $0 != "[" }) : text
            found.append(kind)
        }
        closedir(directory)
        return found.sorted()
    }

    private static func mounts(_ mark: String) -> [String] {
        let text = String(decoding: (try? readFile("/proc/self/mountinfo")) ?? [], as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            let isTemporary = fields.count > 4 && (fields[4].hasPrefix("/tmp/") || fields[4].hasPrefix("/run/netns"))
            // Without the ids, which are given anew.
            return isTemporary && !line.contains(mark) ? nil : fields.dropFirst(2).joined(separator: " ")
        }.sorted()
    }

    private static func children() -> [String] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.flatMap { task in
            String(decoding: (try? readFile("/proc/self/task/\(task)/children")) ?? [], as: UTF8.self)
                .split(separator: " ").map(describe)
        }.sorted()
    }

    /// Those that run in a marked cgroup; zombies only wait for the init of the node, and our own are listed as children.
    private static func processes(_ mark: String) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.filter { entry in
            guard entry.first?.isNumber == true else { return false }
            let cgroups = String(decoding: (try? readFile("/proc/\(entry)/cgroup")) ?? [], as: UTF8.self)
            guard cgroups.contains(mark) else { return false }
            let status = String(decoding: (try? readFile("/proc/\(entry)/status")) ?? [], as: UTF8.self)
            return !status.contains("\nState:\tZ") && !status.isEmpty
        }.map { describe(Substring($0)) }.sorted()
    }

    private static func describe(_ pid: Substring) -> String {
        let name = String(decoding: (try? readFile("/proc/\(pid)/comm")) ?? [], as: UTF8.self)
        return "\(pid) (\(name.filter { $0 != "\n" }))"
    }

    private static func cgroupTree(_ path: String, _ mark: String) -> [String] {
        let tops = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return tops.filter { $0.contains(mark) }.flatMap { top in
            [top]
                + listTree("\(path)/\(top)").filter { relative in
                    var isDirectory: ObjCBool = false
                    return FileManager.default.fileExists(
                        atPath: "\(path)/\(top)/\(relative)", isDirectory: &isDirectory)
                        && isDirectory.boolValue
                }.map { "\(top)/\($0)" }
        }.sorted()
    }
}

/// Runs a test body and demands that it leaves nothing behind; what is still on its way out gets `patience` to go.
package func withLeakCheck<T>(
    mark: String, directories: [String] = [], cgroup: String? = nil, patience: Duration = .seconds(5),
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T
) async throws -> T {
    let take = { SystemSnapshot.take(mark: mark, directories: directories, cgroup: cgroup) }
    // The first sleep of a process makes descriptors that stay.
    try await Task.sleep(for: .milliseconds(1))
    let before = take()
    let result = try await body()
    let deadline = ContinuousClock.now + patience
    // Processes of an earlier test may have been on their way out when this one began.
    let difference = { before.difference(to: take()).filter { !$0.hasPrefix("- processes") } }
    var leaks = difference()
    while !leaks.isEmpty && ContinuousClock.now < deadline {
        try await Task.sleep(for: .milliseconds(10))
        leaks = difference()
    }
    guard leaks.isEmpty else { throw TestFailure("left behind:\n" + leaks.joined(separator: "\n")) }
    return result
}
