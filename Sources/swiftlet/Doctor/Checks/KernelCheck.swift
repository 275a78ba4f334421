/// Kernel release, filesystems, namespaces and settings that pods need.
enum KernelCheck {
    static func run(_ node: some NodePort, _ findings: inout [Finding]) {
        release(node, &findings)
        filesystems(node, &findings)
        namespaces(node, &findings)
        settings(node, &findings)
        if let root = node.mounts().of("/"), !root.isShared {
            findings.add(
                .warning, .kernel, "the mount of / is not shared",
                breaks: "volumes that the kubelet or a storage driver mounts later are not seen by running containers",
                mend: "mount --make-rshared / (systemd does it at boot)")
        }
    }

    private static func release(_ node: some NodePort, _ findings: inout [Finding]) {
        guard let release = node.word("/proc/sys/kernel/osrelease") else {
            return findings.add(
                .error, .kernel, "/proc/sys/kernel/osrelease cannot be read",
                breaks: "nothing can be said of the kernel",
                mend: "mount -t proc proc /proc")
        }
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        guard numbers.count == 2, (numbers[0], numbers[1]) < (5, 15) else { return }
        findings.add(
            .error, .kernel, "Linux \(release) is older than 5.15",
            breaks: "clone3 into a cgroup, mount_setattr and cgroup.kill, by which containers are made and ended",
            mend: "boot Linux 5.15 or newer")
    }

    private static func filesystems(_ node: some NodePort, _ findings: inout [Finding]) {
        guard let text = node.text("/proc/filesystems") else { return }
        let known = Set(
            text.split(separator: "\n").compactMap { $0.split(whereSeparator: \.isWhitespace).last.map(String.init) })
        let needed = [
            ("overlay", "no container gets a root filesystem", "modprobe overlay, and name it in /etc/modules-load.d"),
            ("cgroup2", "no pod gets a cgroup", "use a kernel with CONFIG_CGROUPS"),
            ("mqueue", "/dev/mqueue of pods", "use a kernel with CONFIG_POSIX_MQUEUE"),
            ("devpts", "terminals of containers", "use a kernel with CONFIG_UNIX98_PTYS"),
            ("tmpfs", "/dev and /dev/shm of containers", "use a kernel with CONFIG_TMPFS"),
        ]
        for (name, breaks, mend) in needed where !known.contains(name) {
            findings.add(.error, .kernel, "the kernel has no \(name)", breaks: breaks, mend: mend)
        }
    }

    private static func namespaces(_ node: some NodePort, _ findings: inout [Finding]) {
        let here = Set(node.names("/proc/self/ns") ?? [])
        for name in ["cgroup", "ipc", "mnt", "net", "pid", "uts"] where !here.contains(name) {
            findings.add(
                .error, .kernel, "the kernel has no \(name) namespaces", breaks: "no pod can be made",
                mend: "use a kernel with CONFIG_NAMESPACES and its parts")
        }
        for name in ["ipc", "mnt", "net", "pid", "uts", "cgroup"] {
            let path = "/proc/sys/user/max_\(name)_namespaces"
            guard let text = node.word(path), let limit = Int(text), limit < 1024 else { continue }
            findings.add(
                limit == 0 ? .error : .warning, .kernel, "\(path) is \(limit)",
                breaks: "at most so many pods can exist at a time",
                mend: "sysctl -w user.max_\(name)_namespaces=65536, and in /etc/sysctl.d")
        }
    }

    private static func settings(_ node: some NodePort, _ findings: inout [Finding]) {
        let least = [
            (
                "fs.inotify.max_user_instances", 512,
                "programs in many containers that watch files (\"too many open files\")"
            ),
            ("fs.inotify.max_user_watches", 65_536, "programs in many containers that watch files (\"no space left\")"),
            ("kernel.pid_max", 32_768, "nodes with many processes: fork fails for all of them"),
            ("vm.max_map_count", 65_530, "databases that map many files"),
        ]
        for (name, limit, breaks) in least {
            let path = "/proc/sys/" + name.split(separator: ".").joined(separator: "/")
            guard let text = node.word(path), let value = Int(text), value < limit else { continue }
            findings.add(
                .note, .kernel, "\(name) is \(value)", breaks: breaks,
                mend: "sysctl -w \(name)=\(limit) or more, and in /etc/sysctl.d")
        }
    }
}
