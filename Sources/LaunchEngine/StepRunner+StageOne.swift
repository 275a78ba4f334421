import LaunchProtocol
import Linux

/// What an overlay is made of; kept where mount(2) has to make it later.
struct PostponedOverlay {
    var register: MountRegister
    var directory: Bytes
    var lowers: [Bytes]
    var upper: Bytes?
    var work: Bytes?
    var options: [FilesystemOption]
    var flags: MountFlags
}

extension StepRunner {
    /// Mounts are made as descriptors, in the node's mount namespace: a place of another namespace could not be cloned (EINVAL).
    mutating func makeOverlay(_ overlay: PostponedOverlay) throws(Errno) {
        detail = overlay.directory
        // Layers have short relative names, since an fsconfig(2) string ends at 255 bytes.
        try WorkingDirectory.change(to: Path(overlay.directory))
        do throws(Errno) {
            registers.put(overlay.register, try detachedOverlay(overlay))
        } catch {
            // Before Linux 6.5 there is no `lowerdir+`, and what is longer than one string is left to mount(2).
            guard error == .invalidArgument, postponedOverlay == nil else { throw error }
            postponedOverlay = overlay
        }
    }

    private func detachedOverlay(_ overlay: PostponedOverlay) throws(Errno) -> OwnedFD {
        let context = try FilesystemContext(type: "overlay")
        try context.set("source", "overlay")
        for lower in overlay.lowers { try context.set("lowerdir+", Path(lower)) }
        if let upper = overlay.upper { try context.set("upperdir", Path(upper)) }
        if let work = overlay.work { try context.set("workdir", Path(work)) }
        try StepRunner.set(overlay.options, on: context)
        return try context.mount(overlay.flags).takeDescriptor()
    }

    static func set(_ options: [FilesystemOption], on context: borrowing FilesystemContext) throws(Errno) {
        for option in options {
            if let value = option.value {
                try context.set(Path(option.key), Path(value))
            } else {
                try context.set(Path(option.key))
            }
        }
    }

    mutating func cloneTree(
        _ register: MountRegister, source: Bytes, expect: SourceKind, recursive: Bool, flags: MountFlags,
        recursiveFlags: Bool, propagation: ClonePropagation
    ) throws(Errno) {
        detail = source
        let place = try openSource(Path(source), expect)
        let mount = try MountHandle.clone(of: place, recursive: recursive)
        // A failed call changes nothing, and the clone would stay writable, or shared with the node: each one is checked.
        if !flags.isEmpty { try mount.set(flags, recursive: recursiveFlags) }
        switch propagation {
        case .private: try mount.set(propagation: .private, recursive: true)
        case .slave: try mount.set(propagation: .slave, recursive: true)
        case .shared: break
        }
        registers.put(register, mount.takeDescriptor())
    }

    /// A handle on a path of the node, resolved once.
    private func openSource(_ path: Path, _ expect: SourceKind) throws(Errno) -> OwnedFD {
        let place: OwnedFD
        do throws(Errno) {
            place = try OwnedFD.open(path, .path)
        } catch {
            guard error == .noEntry, expect == .directoryMadeIfMissing else { throw error }
            let node = RootDirectory(try OwnedFD.open("/", [.path, .directory]))
            place = try node.resolve(path, making: .directory(mode: 0o755))
        }
        let kind = try place.status().kind
        switch expect {
        // What is there already may be a file: kubelets mount files too.
        case .any, .directoryMadeIfMissing: break
        case .directory: if kind != .directory { throw .notDirectory }
        case .file: if kind == .directory { throw .isDirectory }
        case .device: if kind != .characterDevice && kind != .blockDevice { throw .noDevice }
        }
        return place
    }

    mutating func makeFilesystem(
        _ register: MountRegister, type: Bytes, options: [FilesystemOption], flags: MountFlags
    ) throws(Errno) {
        detail = type
        if isBornLate && type == Path("proc").bytes {
            registers.put(register, try procOfChildren(options, flags))
            return
        }
        let context = try FilesystemContext(type: Path(type))
        try StepRunner.set(options, on: context)
        registers.put(register, try context.mount(flags).takeDescriptor())
    }

    /// A procfs of the PID namespace that the children of this process are born in, which it is no member of itself.
    private func procOfChildren(_ options: [FilesystemOption], _ flags: MountFlags) throws(Errno) -> OwnedFD {
        let context = try FilesystemContext(type: "proc")
        try StepRunner.set(options, on: context)
        do throws(Errno) {
            // Linux 6.17
            try context.set("pidns", try proc.namespace("pid_for_children"))
        } catch {
            guard error == .invalidArgument else { throw error }
            return try procByMember(options, flags)
        }
        return try context.mount(flags).takeDescriptor()
    }

    /// Before Linux 6.17 only a member can make it. The member lives for three system calls; a container that has
    /// CAP_SYS_PTRACE in the initial user namespace could see it in that time.
    private func procByMember(_ options: [FilesystemOption], _ flags: MountFlags) throws(Errno) -> OwnedFD {
        let pair = try PacketSocket.pair()
        switch try ProcessClone.make() {
        case .child:
            do throws(Errno) {
                let context = try FilesystemContext(type: "proc")
                try StepRunner.set(options, on: context)
                let mount = try context.mount(flags)
                try pair.second.send([0], with: mount.fd)
                CurrentProcess.exit(0)
            } catch {
                CurrentProcess.exit(error.number)
            }
        case .parent(_, let pidfd):
            let status = try pidfd.wait()
            guard status == .exited(0) else { throw Errno(status.code) }
            guard var packet = try pair.first.receive(max: 1), let mount = packet.descriptors.take(0) else {
                throw .inputOutput
            }
            return mount
        }
    }
}
