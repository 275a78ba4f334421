import Model
import OCI

/// What is mounted in a container, in which order.
struct MountRules {
    var pod: PodConfig
    var podFacts: PodFacts
    var container: ContainerConfig
    var facts: ContainerFacts
    /// Of devices outside /dev.
    var devices: [RuntimeMount]

    /// File systems of the kernel first; then the pod's files, the image's volumes and the request's mounts, parents
    /// before children. A mount of the request takes the place of what would have been on its path, and of the
    /// kernel's file systems below it; a volume of the image gives way to all others.
    func all() throws(Fault) -> [RuntimeMount] {
        let asked = try requested()
        func isHidden(_ path: String) -> Bool { asked.contains { NodePath.contains($0.destination, path) } }
        func isReplaced(_ path: String) -> Bool { asked.contains { $0.destination == path } }
        let defaults =
            fileSystems
            + (pod.sharesNodeIPC ? [sharedMemory(of: "/dev/shm")] : [sharedMemory(of: podFacts.sharedMemory)])
        let files = (podFiles + devices).filter { !isReplaced($0.destination) }
        let taken = Set((defaults + files).map(\.destination))
        let volumes = try imageVolumes().filter { !taken.contains($0.destination) && !isReplaced($0.destination) }
        let ordered = (files + volumes + asked).enumerated().sorted {
            (NodePath.depth($0.element.destination), $0.offset) < (NodePath.depth($1.element.destination), $1.offset)
        }
        return defaults.filter { !isHidden($0.destination) } + ordered.map(\.element)
    }

    /// For mounts made inside the container: the widest that any mount asks for.
    var rootfsPropagation: String {
        if container.mounts.contains(where: { $0.propagation == .bidirectional }) { return "rshared" }
        return container.mounts.contains { $0.propagation == .hostToContainer } ? "rslave" : ""
    }

    // MARK: Ours

    private var fileSystems: [RuntimeMount] {
        let access = container.security.privileged ? "rw" : "ro"
        return [
            RuntimeMount(destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
            RuntimeMount(
                destination: "/dev", type: "tmpfs", source: "tmpfs",
                options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            RuntimeMount(
                destination: "/dev/pts", type: "devpts", source: "devpts",
                options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            RuntimeMount(
                destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"]),
            RuntimeMount(
                destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", access]),
            RuntimeMount(
                destination: "/sys/fs/cgroup", type: "cgroup2", source: "cgroup2",
                options: ["nosuid", "noexec", "nodev", "relatime", access]),
        ]
    }

    private func sharedMemory(of source: String) -> RuntimeMount {
        RuntimeMount(
            destination: "/dev/shm", type: "bind", source: source,
            options: ["bind", "rprivate", "nosuid", "noexec", "nodev"])
    }

    private var podFiles: [RuntimeMount] {
        let access = container.security.readonlyRootfs ? "ro" : "rw"
        return [
            ("/etc/hostname", podFacts.hostnameFile), ("/etc/hosts", podFacts.hostsFile),
            ("/etc/resolv.conf", podFacts.resolvConfFile),
        ].map { RuntimeMount(destination: $0, type: "bind", source: $1, options: ["rbind", "rprivate", access]) }
    }

    // MARK: The image's

    private func imageVolumes() throws(Fault) -> [RuntimeMount] {
        var out: [RuntimeMount] = []
        for volume in facts.volumes {
            let path = try NodePath.normalised(volume.path, "volume of the image")
            // The image's word, so /proc stays closed to it without exception (CVE-2019-16884).
            guard path != "/", !NodePath.contains("/proc", path) else {
                throw .invalid("volume of the image \(NodePath.quoted(volume.path)) would hide a system directory")
            }
            guard !out.contains(where: { $0.destination == path }) else { continue }
            out.append(
                RuntimeMount(
                    destination: path, type: "bind", source: volume.directory, options: ["rbind", "rprivate", "rw"]))
        }
        return out
    }

    // MARK: The request's

    /// Single files of procfs that lxcfs and its like replace; anything else there could redirect writes of the
    /// runtime or of programs inside (CVE-2019-16884, CVE-2019-19921).
    private static let replaceableInProc: Set<String> = [
        "/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/stat", "/proc/swaps",
        "/proc/uptime",
    ]

    private func requested() throws(Fault) -> [RuntimeMount] {
        var out: [RuntimeMount] = []
        for mount in container.mounts {
            let target = try NodePath.normalised(mount.containerPath, "mount container_path")
            let source = try NodePath.normalised(mount.hostPath, "mount host_path")
            guard target != "/" else { throw .invalid("mount container_path \"/\" would hide the root file system") }
            guard !NodePath.contains("/proc", target) || Self.replaceableInProc.contains(target) else {
                throw .invalid("mount container_path \(NodePath.quoted(target)) lies in /proc")
            }
            try checkSharing(mount, source)
            let described = RuntimeMount(
                destination: target, type: "bind", source: source,
                options: [
                    "rbind", Self.option(mount.propagation), mount.readonly ? "ro" : "rw",
                    RuntimeMount.makeSourceOption,
                ])
            out.removeAll { $0.destination == target }
            out.append(described)
        }
        return out
    }

    private static func option(_ propagation: MountPropagation) -> String {
        switch propagation {
        case .private: "rprivate"
        case .hostToContainer: "rslave"
        case .bidirectional: "rshared"
        }
    }

    /// Propagation from or to a mount that does not propagate would silently be none.
    private func checkSharing(_ mount: ContainerMount, _ source: String) throws(Fault) {
        guard mount.propagation != .private, let hostMounts = facts.hostMounts else { return }
        let path = facts.resolvedSources[source] ?? source
        let holder = hostMounts.mount(holding: path)
        let shares = holder?.isShared ?? false
        let follows = shares || holder?.isSlave ?? false
        guard mount.propagation == .bidirectional ? shares : follows else {
            let place = NodePath.quoted(holder?.path ?? "/")
            let kind = mount.propagation == .bidirectional ? "shared" : "shared or slave"
            throw .precondition(
                "mount host_path \(NodePath.quoted(source)) is on \(place), which is not a \(kind) mount"
            )
        }
    }
}
