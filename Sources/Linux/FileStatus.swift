import CLinux

/// What stat(2) says of a file.
package struct FileStatus: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case regular, directory, symlink, characterDevice, blockDevice, fifo, socket, other
    }

    package var device: UInt64
    package var inode: UInt64
    package var links: UInt64
    package var size: UInt64
    /// Of 512 bytes each.
    package var blocks: UInt64
    package var kind: Kind
    /// The permission bits, with setuid, setgid and sticky.
    package var mode: UInt32
    package var uid: UInt32
    package var gid: UInt32
    /// Numbers of a device node.
    package var major: UInt32
    package var minor: UInt32
    package var modifiedSeconds: Int64
    package var modifiedNanoseconds: Int64

    init(_ raw: cl_status) {
        device = raw.device
        inode = raw.inode
        links = raw.links
        size = raw.size
        blocks = raw.blocks
        mode = raw.mode & 0o7777
        uid = raw.uid
        gid = raw.gid
        major = cl_major(raw.special_device)
        minor = cl_minor(raw.special_device)
        modifiedSeconds = raw.modified_seconds
        modifiedNanoseconds = raw.modified_nanoseconds
        kind =
            switch raw.mode & UInt32(S_IFMT) {
            case UInt32(S_IFREG): .regular
            case UInt32(S_IFDIR): .directory
            case UInt32(S_IFLNK): .symlink
            case UInt32(S_IFCHR): .characterDevice
            case UInt32(S_IFBLK): .blockDevice
            case UInt32(S_IFIFO): .fifo
            case UInt32(S_IFSOCK): .socket
            default: .other
            }
    }
}

extension OwnedFD {
    /// The corresponding C function is `fstat`.
    package func status() throws(Errno) -> FileStatus { try status("") }

    /// The corresponding C function is `fstatat` with AT_SYMLINK_NOFOLLOW, in this directory.
    package func status(_ path: Path) throws(Errno) -> FileStatus {
        var status = cl_status()
        try path.call { unsafe cl_status(raw, $0.pointer, &status) }
        return FileStatus(status)
    }

    /// f_type of fstatfs(2): which file system this is.
    package func filesystemMagic() throws(Errno) -> FilesystemMagic {
        var magic: UInt64 = 0
        try check(unsafe cl_filesystem_magic(raw, &magic))
        return FilesystemMagic(rawValue: magic)
    }
}

/// How large a file system is and what is free of it.
package struct FilesystemSpace: Sendable, Equatable {
    package var bytes: UInt64
    package var freeBytes: UInt64
    /// Zero where the file system makes inodes as it needs them (btrfs).
    package var inodes: UInt64
    package var freeInodes: UInt64
}

extension OwnedFD {
    /// Sizes of the file system that a file is on: fstatfs(2).
    package func filesystemSpace() throws(Errno) -> FilesystemSpace {
        var space = cl_space()
        try check(unsafe cl_filesystem_space(raw, &space))
        return FilesystemSpace(
            bytes: space.bytes, freeBytes: space.free_bytes, inodes: space.inodes, freeInodes: space.free_inodes)
    }
}

/// Numbers of linux/magic.h.
package struct FilesystemMagic: RawRepresentable, Equatable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let cgroup2 = FilesystemMagic(rawValue: 0x6367_7270)
    package static let devpts = FilesystemMagic(rawValue: 0x1cd1)
    package static let nsfs = FilesystemMagic(rawValue: 0x6e73_6673)
    package static let overlay = FilesystemMagic(rawValue: 0x794c_7630)
    package static let proc = FilesystemMagic(rawValue: 0x9fa0)
    package static let tmpfs = FilesystemMagic(rawValue: 0x0102_1994)
}
