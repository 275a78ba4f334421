import CLICore

/// Room and kind of the filesystems that the runtime writes to.
enum DiskCheck {
    static func run(_ node: some NodePort, _ setting: NodeSetting, _ findings: inout [Finding]) {
        let root = nearest(setting.root, node)
        let state = nearest(setting.state, node)
        let mounts = node.mounts()
        if let mount = mounts.of(root) {
            // overlayfs takes these for its writable layer only in part or not at all (Documentation/filesystems/overlayfs.rst).
            if ["overlay", "nfs", "nfs4", "cifs", "fuse", "9p", "virtiofs", "vfat"].contains(mount.type) {
                findings.add(
                    .error, .disk, "\(setting.root) is on \(mount.type)", breaks: "writable layers of containers",
                    mend: "put a disk with ext4, xfs or btrfs there")
            }
            if mount.options.contains("ro") {
                findings.add(
                    .error, .disk, "\(setting.root) is mounted read-only", breaks: "everything",
                    mend: "look into the kernel's log for errors of the disk; mount -o remount,rw \(mount.point)")
            }
            for option in ["nodev", "nosuid", "noexec"] where mount.options.contains(option) {
                findings.add(
                    option == "noexec" ? .error : .warning, .disk, "\(setting.root) is mounted with \(option)",
                    breaks: option == "noexec"
                        ? "no program of an image can be run"
                        : "programs in images that need it: \(option == "nosuid" ? "sudo and ping" : "device nodes")",
                    mend: "mount -o remount,\(option.dropFirst(2)) \(mount.point)")
            }
        }
        if let mount = mounts.of(state), mount.type != "tmpfs" {
            findings.add(
                .warning, .disk, "\(setting.state) is on \(mount.type), not on tmpfs",
                breaks: "after a reboot, names of sockets and namespaces that are no more are found there",
                mend: setting.state.hasPrefix("/run/")
                    ? "mount a tmpfs at /run, as systemd does at boot" : "put the state directory below /run")
        }
        for (path, what) in [(root, setting.root), (state, setting.state)] {
            guard let room = node.room(path) else { continue }
            check(room.freeBytes, of: room.bytes, "bytes", sizeText(room.freeBytes), what, &findings)
            check(room.freeInodes, of: room.inodes, "inodes", String(room.freeInodes), what, &findings)
        }
    }

    private static func check(
        _ free: UInt64, of all: UInt64, _ unit: String, _ text: String, _ path: String, _ findings: inout [Finding]
    ) {
        guard all > 0 else { return }
        let percent = Double(free) / Double(all) * 100
        guard percent < 10 else { return }
        findings.add(
            percent < 2 ? .error : .warning, .disk,
            "\(decimal(percent, places: 1)) % of the \(unit) at \(path) are free (\(text))",
            breaks: "pulls and everything that containers write; the kubelet evicts pods",
            mend: "swiftlet rmi --prune, or more disk")
    }

    /// The path itself, or the directory in which it would be made.
    private static func nearest(_ path: String, _ node: some NodePort) -> String {
        var path = path[...]
        while path.count > 1, node.kind(String(path)) == nil {
            path = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        }
        return path.isEmpty ? "/" : String(path)
    }
}
