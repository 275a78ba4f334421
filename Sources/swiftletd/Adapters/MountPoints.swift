import Linux

/// The lowest layer of every container: what its mounts are attached to, so that no start has to make it in the writable layer.
///
/// An image that has such a file or directory hides it; one that has removed it gets it made at the start.
enum MountPoints {
    static func make(at path: String) throws(Errno) {
        let top = try OwnedFD.makeDirectories(path)
        // Never the root of anything that is seen: overlayfs takes that from the writable layer.
        for name: Path in ["dev", "etc", "proc", "sys"] {
            do throws(Errno) { try top.makeDirectory(name, mode: 0o755) } catch Errno.alreadyExists {}
        }
        for name: Path in ["etc/hostname", "etc/hosts", "etc/resolv.conf"] {
            try top.open(name, [.writeOnly, .create], mode: 0o644, resolve: [.beneath, .noSymlinks]).close()
        }
    }
}
