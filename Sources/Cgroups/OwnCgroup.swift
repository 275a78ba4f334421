import Linux
package import Model

/// The daemon's own part of the hierarchy. Nothing of ours runs in a pod's cgroup: the daemon and the pods' supervisors
/// are leaves below a cgroup that was delegated to us (systemd's `Delegate=yes`), so that an OOM in a pod never hits
/// them.
///
/// No controller is ever enabled below `base`: systemd puts a restarted daemon into `base` itself, which the kernel
/// allows only while `base` passes no controllers on (no internal processes rule, cgroup-v2.rst).
package struct OwnCgroup: Sendable, Equatable {
    package let base: CgroupPath
    /// Where the daemon runs.
    package let daemon: CgroupPath
    /// Above the cgroups of supervisors.
    package let supervisors: CgroupPath

    /// - Parameters:
    ///   - configured: the base by configuration; empty = where the daemon was started, or `/swiftletd` when that is
    ///     the root.
    ///   - current: the cgroup that the daemon is in now, as /proc/self/cgroup has it.
    package init(configured: String, current: String) throws(CgroupError) {
        if !configured.isEmpty {
            base = try CgroupPath(parent: configured)
        } else if current.isEmpty || current == "/" {
            base = try CgroupPath.root.appending("swiftletd")
        } else {
            let path = try CgroupPath(parent: current)
            // Started by hand from a shell that an earlier daemon's leaf held, or not moved out of it.
            base = path.name == "daemon" ? path.parent ?? path : path
        }
        daemon = try base.appending("daemon")
        supervisors = try base.appending("supervisors")
    }

    /// The leaf of a pod's supervisor.
    package func supervisor(_ pod: PodID) throws(CgroupError) -> CgroupPath { try supervisors.appending(pod.text) }

    /// The cgroup2 path in the text of /proc/PID/cgroup: the line of hierarchy 0 (cgroups(7)).
    package static func current(in text: some StringProtocol) -> String? {
        text.split(separator: "\n").first { $0.hasPrefix("0::/") }.map { String($0.dropFirst(3)) }
    }
}

extension Cgroups {
    /// Makes a cgroup that will hold processes of ours alone: no controller is passed down for it.
    package func makeLeaf(_ path: CgroupPath) async throws {
        try await pool.run { [self] in _ = try makeDirectory(path, passing: []) }
    }

    /// Finds or makes the daemon's own cgroups and moves the calling process into its leaf.
    package func adoptDaemon(configured: String) throws(CgroupError) -> OwnCgroup {
        let text: [UInt8]
        do throws(Errno) {
            text = try OwnedFD.open("/proc/self/cgroup", .readOnly).readToEnd(max: 65536)
        } catch {
            throw .system(operation: "read", path: "/proc/self/cgroup", errno: error)
        }
        let own = try OwnCgroup(
            configured: configured, current: OwnCgroup.current(in: String(decoding: text, as: UTF8.self)) ?? "")
        _ = try makeDirectory(own.supervisors, passing: [])
        // "0" is the process that writes (cgroup-v2.rst, cgroup.procs).
        try makeDirectory(own.daemon, passing: []).directory.write("cgroup.procs", "0")
        return own
    }
}
