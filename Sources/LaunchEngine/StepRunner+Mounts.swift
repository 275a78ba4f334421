import LaunchProtocol
import Linux

extension StepRunner {
    /// From here on stage two. Slaves, not private: a private copy would pin the node's mounts, and pivot_root(2) refuses shared.
    mutating func enterMountNamespace(_ newCgroupNamespace: Bool) throws(Errno) {
        let flags: NamespaceFlags = newCgroupNamespace ? [.mount, .cgroup] : .mount
        try flags.unshare()
        try MountTable.makeAllSlaves()
    }

    mutating func attachRoot(_ register: MountRegister, anchor: Bytes) throws(Errno) {
        detail = anchor
        let place = try OwnedFD.open(Path(anchor), [.path, .directory])
        if let overlay = postponedOverlay, overlay.register == register {
            try mountOverlay(overlay, at: Path(anchor))
            postponedOverlay = nil
            root = RootDirectory(try OwnedFD.open(Path(anchor), [.path, .directory]))
            guard try root.fd.filesystemMagic() == .overlay else { throw .crossDevice }
        } else {
            guard let fd = registers.take(register) else { throw .badDescriptor }
            let mount = MountHandle(fd)
            try mount.attach(to: place)
            // A mount's descriptor stays a handle on its root.
            root = RootDirectory(mount.takeDescriptor())
        }
        hasRoot = true
    }

    private func mountOverlay(_ overlay: PostponedOverlay, at anchor: Path) throws(Errno) {
        try WorkingDirectory.change(to: Path(overlay.directory))
        var data = Path("lowerdir=").bytes
        for (index, lower) in overlay.lowers.enumerated() {
            if index > 0 { data.append(UInt8(ascii: ":")) }
            data += try plainOption(lower)
        }
        if let upper = overlay.upper { data += Path(",upperdir=").bytes + (try plainOption(upper)) }
        if let work = overlay.work { data += Path(",workdir=").bytes + (try plainOption(work)) }
        for option in overlay.options {
            data += Path(",").bytes + (try plainOption(option.key))
            if let value = option.value { data += Path("=").bytes + (try plainOption(value)) }
        }
        // One page is all that mount(2) takes, and it cuts the rest off without a word.
        guard data.count < 4095 else { throw .invalidArgument }
        try MountTable.mount(type: "overlay", at: anchor, flags: overlay.flags, data: Path(data))
    }

    /// Text without the separators of the options of mount(2).
    private func plainOption(_ text: Bytes) throws(Errno) -> Bytes {
        for byte in text where byte == UInt8(ascii: ",") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "\\") {
            throw .invalidArgument
        }
        return text
    }

    mutating func attach(_ register: MountRegister, target: Bytes, create: TargetKind) throws(Errno) {
        detail = target
        try requireRoot()
        guard let fd = registers.take(register) else { throw .badDescriptor }
        let place: OwnedFD
        switch create {
        case .mustExist: place = try root.resolve(Path(target))
        case .directory: place = try root.resolve(Path(target), making: .directory(mode: 0o755))
        case .file: place = try root.resolve(Path(target), making: .file(mode: 0o644))
        case .likeSource:
            let isDirectory = try fd.status().kind == .directory
            place = try root.resolve(Path(target), making: isDirectory ? .directory(mode: 0o755) : .file(mode: 0o644))
        }
        // A link of the image must not lead a mount onto procfs, where the kernel's own files would be covered (CVE-2019-16884).
        if create != .mustExist, try place.filesystemMagic() == .proc { throw .crossDevice }
        try MountHandle(fd).attach(to: place)
    }

    mutating func makeDirectory(target: Bytes, mode: UInt32, uid: UInt32, gid: UInt32) throws(Errno) {
        detail = target
        try requireRoot()
        do throws(Errno) {
            guard try root.resolve(Path(target)).status().kind == .directory else { throw .notDirectory }
        } catch {
            guard error == .noEntry else { throw error }
            let made = try root.resolve(Path(target), making: .directory(mode: mode))
            if uid != 0 || gid != 0 { try made.changeOwner(uid: uid, gid: gid) }
        }
    }

    mutating func makeSymlink(target: Bytes, text: Bytes) throws(Errno) {
        detail = target
        try requireRoot()
        let parent = try root.parent(of: Path(target))
        do throws(Errno) {
            try parent.fd.makeSymlink(parent.name, text: Path(text))
        } catch {
            guard error == .alreadyExists, try parent.fd.status(parent.name).kind == .symlink,
                try parent.fd.readSymlink(parent.name) == text
            else { throw error }
        }
    }

    mutating func makeDevice(
        target: Bytes, kind: DeviceKind, major: UInt32, minor: UInt32, mode: UInt32, uid: UInt32, gid: UInt32
    ) throws(Errno) {
        detail = target
        try requireRoot()
        let parent = try root.parent(of: Path(target))
        // Never into an image or a volume (CVE-2026-41579): what this launch has made itself is a tmpfs.
        guard try parent.fd.filesystemMagic() == .tmpfs else { throw .crossDevice }
        // The umask is 0 here: the mode comes out as it goes in.
        try parent.fd.makeNode(parent.name, kind: kind.kernel, mode: mode, major: major, minor: minor)
        if uid != 0 || gid != 0 { try parent.fd.changeOwner(parent.name, uid: uid, gid: gid) }
    }

    mutating func changeRoot(_ flags: MountFlags, propagation: Propagation?) throws(Errno) {
        try requireRoot()
        // The root alone: volumes on it have their own flags and their own peers.
        try root.fd.setMountAttributes(flags, propagation: propagation, recursive: false)
    }

    mutating func pivotRoot() throws(Errno) {
        try requireRoot()
        try root.fd.becomeWorkingDirectory()
        try MountTable.pivotToWorkingDirectory()
        root = RootDirectory(try OwnedFD.open("/", [.path, .directory]))
    }

    /// Targets are the container's: none is looked up in the node's tree.
    func requireRoot() throws(Errno) {
        if !hasRoot { throw .badDescriptor }
    }
}

extension DeviceKind {
    fileprivate var kernel: NodeKind {
        switch self {
        case .character: .characterDevice
        case .block: .blockDevice
        case .fifo: .fifo
        }
    }
}

extension RootPropagation {
    var kernel: Propagation {
        switch self {
        case .private: .private
        case .slave: .slave
        case .shared: .shared
        }
    }
}
