package import Linux

/// The cgroup v2 hierarchy of the host, below its mount point.
///
/// Calls that may wait for the kernel (memory reclaim on a lowered limit, the removal of a large tree) run on the pool
/// that comes in through `init`; nothing here keeps state but the open root directory and loaded device programs.
package final class Cgroups: Sendable {
    package let names: CgroupNames
    /// Whether a limit fails the call when the host's cgroup v2 hierarchy lacks its controller. False is for hybrid
    /// hosts, where version 1 holds the controllers: what could not be enforced is then returned by name.
    package let requireControllers: Bool
    let root: OwnedFD
    let pool: BlockingPool
    let devicePrograms = DeviceProgramCache()

    /// Opens the hierarchy.
    /// - Parameter mountPoint: where it is mounted; `Cgroups.mountPoint()` finds it.
    package init(mountPoint: String, names: CgroupNames, requireControllers: Bool, pool: BlockingPool)
        throws(CgroupError)
    {
        let isRightKind: Bool
        do throws(Errno) {
            root = try OwnedFD.open(Path(mountPoint), [.readOnly, .directory])
            isRightKind = try root.filesystemMagic() == .cgroup2
        } catch {
            throw .system(operation: "open cgroup2 hierarchy", path: mountPoint, errno: error)
        }
        guard isRightKind else { throw .noHierarchy }
        self.names = names
        self.requireControllers = requireControllers
        self.pool = pool
    }

    /// Where the whole cgroup2 hierarchy is mounted. A hybrid host has version 1 controllers at /sys/fs/cgroup and this
    /// elsewhere, so the place is never assumed; the usual places win over bind mounts of it.
    package static func mountPoint() throws(CgroupError) -> String {
        let mounts: [MountInfo]
        do throws(Errno) {
            mounts = try MountInfo.current()
        } catch {
            throw .system(operation: "read", path: "/proc/self/mountinfo", errno: error)
        }
        return try mountPoint(among: mounts)
    }

    static func mountPoint(among mounts: [MountInfo]) throws(CgroupError) -> String {
        let found = mounts.filter { $0.type == Array("cgroup2".utf8) && $0.root == Array("/".utf8) }
            .map { String(decoding: $0.mountPoint, as: UTF8.self) }
        let usual = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].first { found.contains($0) }
        guard let place = usual ?? found.first else { throw .noHierarchy }
        return place
    }

    /// The controllers that the host has in its cgroup v2 hierarchy.
    package func availableControllers() throws(CgroupError) -> Set<String> {
        guard let directory = try find(.root) else { throw .noHierarchy }
        return try directory.words("cgroup.controllers")
    }

    // MARK: - Opening

    /// The directory of a cgroup, for `clone3(CLONE_INTO_CGROUP)` and the supervisor.
    package func open(_ path: CgroupPath) throws(CgroupError) -> OwnedFD {
        guard let directory = try find(path) else {
            throw .system(operation: "open cgroup", path: path.description, errno: .noEntry)
        }
        return try directory.fd.duplicated(path)
    }

    /// `cgroup.kill` of a cgroup, open for writing: "1" written to it ends every process in the cgroup and below.
    package func openKill(_ path: CgroupPath) throws(CgroupError) -> OwnedFD {
        let directory = try open(path)
        do throws(Errno) {
            return try directory.open("cgroup.kill", [.writeOnly, .noFollow])
        } catch {
            throw .system(operation: "open", path: "\(path)/cgroup.kill", errno: error)
        }
    }

    package func exists(_ path: CgroupPath) throws(CgroupError) -> Bool { try find(path) != nil }

    /// Opens a cgroup name by name from the root; nil where there is none.
    func find(_ path: CgroupPath) throws(CgroupError) -> CgroupDirectory? {
        do throws(Errno) {
            var directory = try root.duplicate()
            for name in path.components {
                directory = try directory.open(Path(name), [.readOnly, .directory, .noFollow])
            }
            return CgroupDirectory(fd: directory, path: path)
        } catch {
            if error == .noEntry || error == .cgroupGone { return nil }
            throw .system(operation: "open cgroup", path: path.description, errno: error)
        }
    }
}
