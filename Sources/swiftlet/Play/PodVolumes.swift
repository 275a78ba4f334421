import CLICore
import Linux
import Play

/// Volumes of a pod: directories below its own, on a tmpfs each where the files are to live in memory alone.
///
/// The mounts are the directory's: they outlive the process, as the pod does, and are found by their places again.
extension PodDirectory {
    func makeVolumes(
        _ manifest: Manifest, _ pod: PodManifest, _ facts: PodFacts, nodeMemoryBytes: Int64
    ) throws(Failure) {
        let resolver = ValueResolver(manifest, pod, facts)
        for volume in pod.volumes {
            do {
                if case .hostPath(let path, let type) = volume.source {
                    try HostPath.prepare(path, type: type)
                    continue
                }
                let bytes = volume.memoryBytes(in: pod, nodeMemoryBytes: nodeMemoryBytes)
                if volume.isInMemory { try mountMemory(volume.name, bytes: bytes) }
                try make(volume, try resolver.files(of: volume), group: pod.fsGroup)
            } catch {
                throw Failure("make volume \"\(volume.name)\" of pod \"\(pod.name)\": \(error)")
            }
        }
    }

    /// Takes the mounts away, whose memory is free when the last container that sees them is gone; does nothing if there
    /// are none. A pod that has ended needs its secrets no more.
    func unmount() throws(Failure) {
        for place in ["volumes", "subpaths"] {
            do throws(Errno) {
                let directory = try OwnedFD.open(Linux.Path("\(path)/\(place)"), [.readOnly, .directory, .noFollow])
                for entry in try directory.entries(max: Self.mountsMax) {
                    try Self.unmount(Linux.Path("\(path)/\(place)").appending(Linux.Path(entry.name)))
                }
            } catch Errno.noEntry {
                continue
            } catch {
                throw Failure("unmount what is in \"\(path)/\(place)\": \(error)")
            }
        }
    }

    private static let mountsMax = 100_000

    /// Until nothing is mounted there: EINVAL. Who may not unmount (EPERM) has mounted nothing.
    static func unmount(_ place: Linux.Path) throws(Errno) {
        while true {
            do throws(Errno) { try MountTable.unmount(place, detaching: true) } catch {
                if error == .invalidArgument || error == .notPermitted { return }
                throw error
            }
        }
    }

    private func mountMemory(_ name: String, bytes: Int64) throws(Errno) {
        let place = Linux.Path(volume(name))
        let parent = try OwnedFD.open(Linux.Path("\(path)/volumes"), [.readOnly, .directory, .noFollow])
        try parent.makeDirectory(Linux.Path(name), mode: 0o700)
        let target = try OwnedFD.open(place, [.path, .directory, .noFollow])
        do throws(Errno) {
            // Linux 6.4 can keep it out of the swap; older kernels do not know the word.
            try Self.memory(bytes, noSwap: true).attach(to: target)
        } catch {
            try Self.memory(bytes, noSwap: false).attach(to: target)
        }
    }

    private static func memory(_ bytes: Int64, noSwap: Bool) throws(Errno) -> MountHandle {
        let context = try FilesystemContext(type: "tmpfs")
        try context.set("source", "swiftlet-play")
        try context.set("size", Linux.Path(String(bytes)))
        try context.set("mode", "0700")
        if noSwap { try context.set("noswap") }
        return try context.mount([.noSetuid, .noDevices])
    }

    // MARK: - Files

    /// Modes are a kubelet's: open to every user of the pod; with an fsGroup, to that group as well.
    private func make(_ volume: VolumeManifest, _ files: [VolumeFile]?, group: Int64?) throws {
        let parent = try OwnedFD.open(Linux.Path("\(path)/volumes"), [.readOnly, .directory, .noFollow])
        let top = try Self.directory(Linux.Path(volume.name), in: parent, group: group, isOpen: files == nil)
        for file in files ?? [] {
            var steps = file.path.split(separator: "/").map { Linux.Path(String($0)) }
            guard let name = steps.popLast() else { throw Failure("the path \"\(file.path)\" names no file") }
            var directory = try top.reopen([.readOnly, .directory])
            for step in steps { directory = try Self.directory(step, in: directory, group: group, isOpen: false) }
            let opened = try directory.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
            try opened.writeAll(file.bytes[...])
            var mode = UInt32(truncatingIfNeeded: file.mode) & 0o777
            if let group = group.flatMap(UInt32.init(exactly:)) {
                try opened.changeOwner(uid: CurrentProcess.effectiveUID, gid: group)
                mode |= 0o440
            }
            try opened.changeMode(mode)
        }
    }

    private static func directory(
        _ name: Linux.Path, in parent: borrowing OwnedFD, group: Int64?, isOpen: Bool
    ) throws(Errno) -> OwnedFD {
        do throws(Errno) { try parent.makeDirectory(name, mode: 0o700) } catch Errno.alreadyExists {}
        let directory = try parent.open(name, [.readOnly, .directory, .noFollow])
        var mode: UInt32 = isOpen ? 0o777 : 0o755
        if let group = group.flatMap(UInt32.init(exactly:)) {
            try directory.changeOwner(uid: CurrentProcess.effectiveUID, gid: group)
            mode |= 0o2070
        }
        try directory.changeMode(mode)
        return directory
    }
}
