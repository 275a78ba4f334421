import Linux

/// Who is in a cgroup and in those below it.
package struct CgroupMembers: Sendable, Equatable {
    /// Numbers in the caller's PID namespace.
    package var processes: [Int32] = []
    package var threads: UInt64 = 0
    /// False: there are more than the walk looks at, and these are some of them.
    package var isWhole = true

    package init() {}
}

extension Cgroups {
    /// A container may make as many cgroups in its own as it likes: a walk ends there.
    static let memberCgroupsMax = 1024

    /// At most `max` processes of a cgroup and those below it; nil when it is gone.
    package func members(_ path: CgroupPath, max: Int) throws(CgroupError) -> CgroupMembers? {
        guard let top = try find(path), let own = try top.read("cgroup.procs") else { return nil }
        var members = CgroupMembers()
        members.add(own, threads: try top.read("cgroup.threads") ?? "", max: max)
        var waiting = try top.namesBelow()
        var seen = 0
        while let name = waiting.popLast(), members.isWhole {
            seen += 1
            guard seen <= Self.memberCgroupsMax, waiting.count <= Self.memberCgroupsMax else {
                members.isWhole = false
                break
            }
            guard let below = try top.open(below: name) else { continue }
            members.add(
                try below.read("cgroup.procs") ?? "", threads: try below.read("cgroup.threads") ?? "", max: max)
            waiting += try below.namesBelow().map { name.appending($0) }
        }
        return members
    }
}

extension CgroupMembers {
    fileprivate mutating func add(_ list: String, threads: String, max: Int) {
        // Zero is a process that the reader's PID namespace does not have.
        let found = list.split(separator: "\n").compactMap { Int32($0) }.filter { $0 > 0 }
        processes += found.prefix(max - processes.count)
        if found.count > max || processes.count == max { isWhole = false }
        self.threads += UInt64(threads.utf8.count { $0 == 0x0a })
    }
}

extension CgroupDirectory {
    /// Names of the cgroups right below; none in one that is gone, and no more than a walk would look at.
    fileprivate func namesBelow() throws(CgroupError) -> [Path] {
        do throws(Errno) {
            var names: [Path] = []
            try fd.seek(to: 0)
            while names.count <= Cgroups.memberCgroupsMax {
                let part = try fd.entriesPart()
                if part.isEmpty { break }
                for entry in part where entry.kind == .directory && !entry.isDot { names.append(Path(entry.name)) }
            }
            return names
        } catch {
            if error == .noEntry || error == .cgroupGone { return [] }
            throw .system(operation: "list cgroup", path: path.description, errno: error)
        }
    }

    /// Nil when it is gone.
    fileprivate func open(below name: Path) throws(CgroupError) -> CgroupDirectory? {
        do throws(Errno) {
            let opened = try fd.open(name, [.readOnly, .directory], resolve: [.beneath, .noSymlinks])
            return CgroupDirectory(fd: opened, path: path)
        } catch {
            // Deeper than a path can say: it is not looked at.
            if error == .noEntry || error == .cgroupGone || error == .nameTooLong { return nil }
            throw .system(operation: "open a cgroup below", path: path.description, errno: error)
        }
    }
}
