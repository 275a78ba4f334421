import CLinux

/// MOUNT_ATTR_* of mount_setattr(2) and fsmount(2), by their kernel values.
package struct MountFlags: OptionSet, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let readOnly = MountFlags(rawValue: 0x1)
    package static let noSetuid = MountFlags(rawValue: 0x2)
    package static let noDevices = MountFlags(rawValue: 0x4)
    package static let noExecute = MountFlags(rawValue: 0x8)

    /// noatime and strictatime are values of one field.
    private static let accessTime: UInt64 = 0x70

    /// Setting a value of the access-time field needs the whole field cleared in the same call.
    var cleared: UInt64 { rawValue & MountFlags.accessTime != 0 ? MountFlags.accessTime : 0 }

    /// The same for mount(2).
    var legacy: UInt {
        var flags: UInt = 0
        if rawValue & 0x1 != 0 { flags |= UInt(MS_RDONLY) }
        if rawValue & 0x2 != 0 { flags |= UInt(MS_NOSUID) }
        if rawValue & 0x4 != 0 { flags |= UInt(MS_NODEV) }
        if rawValue & 0x8 != 0 { flags |= UInt(MS_NOEXEC) }
        if rawValue & 0x10 != 0 { flags |= UInt(MS_NOATIME) }
        if rawValue & 0x20 != 0 { flags |= UInt(MS_STRICTATIME) }
        return flags
    }
}

/// What a mount passes on and takes from its peers (mount_namespaces(7)).
package enum Propagation: Sendable, Equatable {
    case shared, `private`, slave

    var kernel: UInt64 {
        switch self {
        case .shared: UInt64(MS_SHARED)
        case .private: UInt64(MS_PRIVATE)
        case .slave: UInt64(MS_SLAVE)
        }
    }
}

/// A mount as a descriptor: detached until it is attached, and then still a handle on its root.
package struct MountHandle: ~Copyable, Sendable {
    package let fd: OwnedFD

    package init(_ fd: consuming OwnedFD) { self.fd = fd }

    /// The descriptor alone.
    package consuming func takeDescriptor() -> OwnedFD { fd }

    /// A detached clone of what a path shows: open_tree(2) with OPEN_TREE_CLONE. EINVAL for a place of another mount namespace.
    package static func clone(of place: borrowing OwnedFD, recursive: Bool) throws(Errno) -> MountHandle {
        let raw = place.raw
        let empty: Path = ""
        return MountHandle(
            OwnedFD(taking: descriptor(try empty.call { unsafe cl_clone_tree(raw, $0.pointer, recursive ? 1 : 0) })))
    }

    /// The corresponding C function is `mount_setattr`. A failed call changes nothing at all.
    package func set(
        _ flags: MountFlags = [], propagation: Propagation? = nil, recursive: Bool
    ) throws(Errno) {
        try fd.setMountAttributes(flags, propagation: propagation, recursive: recursive)
    }

    /// Attaches onto an O_PATH descriptor: move_mount(2). A handle attaches once.
    package func attach(to target: borrowing OwnedFD) throws(Errno) {
        try check(cl_move_mount(fd.raw, target.raw))
    }
}

extension OwnedFD {
    /// mount_setattr(2) of the mount whose root this is; `MountHandle.set` for mounts that are attached already.
    package func setMountAttributes(
        _ flags: MountFlags = [], propagation: Propagation? = nil, recursive: Bool
    ) throws(Errno) {
        try check(
            cl_mount_setattr(raw, recursive ? 1 : 0, flags.rawValue, flags.cleared, propagation?.kernel ?? 0, 0))
    }
}

/// A file system under construction: fsopen(2), fsconfig(2), fsmount(2).
package struct FilesystemContext: ~Copyable, Sendable {
    private let fd: OwnedFD

    package init(type: Path) throws(Errno) {
        fd = OwnedFD(taking: descriptor(try type.call { unsafe cl_fsopen($0.pointer) }))
    }

    /// FSCONFIG_SET_STRING; the kernel refuses values beyond 255 bytes with EINVAL.
    package func set(_ key: Path, _ value: Path) throws(Errno) {
        let raw = fd.raw
        try key.call { key in value.nested { unsafe cl_fsconfig_set(raw, key.pointer, $0.pointer) } }
    }

    /// FSCONFIG_SET_FLAG
    package func set(_ key: Path) throws(Errno) {
        let raw = fd.raw
        // A null value chooses the flag form.
        try key.call { unsafe cl_fsconfig_set(raw, $0.pointer, nil) }
    }

    /// FSCONFIG_SET_FD
    package func set(_ key: Path, _ value: borrowing OwnedFD) throws(Errno) {
        let raw = fd.raw
        let number = value.raw
        try key.call { unsafe cl_fsconfig_set_fd(raw, $0.pointer, number) }
    }

    /// FSCONFIG_CMD_CREATE and fsmount(2).
    package consuming func mount(_ flags: MountFlags = []) throws(Errno) -> MountHandle {
        try check(cl_fsconfig_create(fd.raw))
        return MountHandle(OwnedFD(taking: descriptor(try check(cl_fsmount(fd.raw, flags.rawValue)))))
    }
}

/// mount(2) and its relatives, for what the handles above cannot do.
package enum MountTable {
    /// Makes every mount of the calling process's namespace a slave of what it was copied from: MS_REC | MS_SLAVE.
    package static func makeAllSlaves() throws(Errno) {
        let root: Path = "/"
        // Null pointers: neither source nor type nor data is looked at.
        try root.call { unsafe cl_mount(nil, $0.pointer, nil, UInt(MS_REC) | UInt(MS_SLAVE), nil) }
    }

    /// Makes every mount of the calling process's namespace shared: MS_REC | MS_SHARED.
    package static func makeAllShared() throws(Errno) {
        let root: Path = "/"
        // As above.
        try root.call { unsafe cl_mount(nil, $0.pointer, nil, UInt(MS_REC) | UInt(MS_SHARED), nil) }
    }

    /// A new file system at a path: mount(2). `data` is one page of options at most.
    package static func mount(type: Path, at target: Path, flags: MountFlags, data: Path) throws(Errno) {
        try target.call { target in
            type.nested { type in
                data.nested { unsafe cl_mount(type.pointer, target.pointer, type.pointer, flags.legacy, $0.pointer) }
            }
        }
    }

    /// umount2(2) with UMOUNT_NOFOLLOW, and MNT_DETACH if asked.
    package static func unmount(_ path: Path, detaching: Bool) throws(Errno) {
        let flags = Int32(UMOUNT_NOFOLLOW) | (detaching ? Int32(MNT_DETACH) : 0)
        try path.call { unsafe cl_umount($0.pointer, flags) }
    }

    /// Swaps the root for the working directory and drops the old one: pivot_root(".", "."), umount2(".", MNT_DETACH).
    package static func pivotToWorkingDirectory() throws(Errno) {
        let here: Path = "."
        // One string for both: pivot_root(2) says how the old root ends up on top of the new one.
        try here.call { unsafe cl_pivot_root($0.pointer, $0.pointer) }
        try here.call { unsafe cl_umount($0.pointer, Int32(MNT_DETACH)) }
        try WorkingDirectory.change(to: "/")
    }
}
