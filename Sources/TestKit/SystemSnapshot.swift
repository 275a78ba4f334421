import Foundation

/// What this process and the node hold at one moment, as sorted readable lines under one heading each.
package struct SystemSnapshot: Sendable, Equatable {
    package var sections: [String: [String]]

    /// - Parameters:
    ///   - directories: trees whose files are listed, cgroup directories as well (only directories are listed there).
    ///   - processName: processes of the node whose command starts with this are listed.
    package static func take(directories: [String] = [], cgroups: [String] = [], processName: String? = nil) -> Self {
        var sections = [
            "descriptors": descriptors(), "mounts": lines("/proc/self/mountinfo", dropFields: 2), "children": children(),
        ]
        for directory in directories { sections["files \(directory)"] = listTree(directory) }
        for cgroup in cgroups { sections["cgroups \(cgroup)"] = cgroupTree(cgroup) }
        if let processName { sections["processes \(processName)"] = processes(named: processName) }
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
            let kind = text.contains(":[") ? String(text.prefix { $0 != "[" }) : text
            found.append(kind)
        }
        closedir(directory)
        return found.sorted()
    }

    private static func lines(_ path: String, dropFields: Int) -> [String] {
        let text = String(decoding: (try? readFile(path)) ?? [], as: UTF8.self)
        return text.split(separator: "\n")
            .map { $0.split(separator: " ").dropFirst(dropFields).joined(separator: " ") }.sorted()
    }

    private static func children() -> [String] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.flatMap { task in
            String(decoding: (try? readFile("/proc/self/task/\(task)/children")) ?? [], as: UTF8.self)
                .split(separator: " ").map(describe)
        }.sorted()
    }

    private static func processes(named name: String) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.filter { $0.first?.isNumber == true }.map { describe(Substring($0)) }
            .filter { $0.contains("(\(name)") }.sorted()
    }

    private static func describe(_ pid: Substring) -> String {
        let name = String(decoding: (try? readFile("/proc/\(pid)/comm")) ?? [], as: UTF8.self)
        return "\(pid) (\(name.filter { $0 != "\n" }))"
    }

    private static func cgroupTree(_ path: String) -> [String] {
        listTree(path).filter { relative in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(path)/\(relative)", isDirectory: &isDirectory)
                && isDirectory.boolValue
        }
    }
}

/// Runs a test body and demands that it leaves nothing behind; what is still on its way out gets `patience` to go.
package func withLeakCheck<T>(
    directories: [String] = [], cgroups: [String] = [], processName: String? = nil, patience: Duration = .seconds(5),
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T
) async throws -> T {
    let take = { SystemSnapshot.take(directories: directories, cgroups: cgroups, processName: processName) }
    let before = take()
    let result = try await body()
    let deadline = ContinuousClock.now + patience
    var leaks = before.difference(to: take())
    while !leaks.isEmpty && ContinuousClock.now < deadline {
        try await Task.sleep(for: .milliseconds(10))
        leaks = before.difference(to: take())
    }
    guard leaks.isEmpty else { throw TestFailure("left behind:\n" + leaks.joined(separator: "\n")) }
    return result
}
