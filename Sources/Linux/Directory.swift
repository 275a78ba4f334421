import CLinux

extension OwnedFD {
    /// The corresponding C function is `mkdirat`.
    package func makeDirectory(_ path: Path, mode: UInt32) throws(Errno) {
        try path.call { unsafe cl_mkdirat(raw, $0.pointer, mode) }
    }

    /// The corresponding C function is `unlinkat`; `directory` is AT_REMOVEDIR.
    package func unlink(_ path: Path, directory: Bool = false) throws(Errno) {
        try path.call { unsafe cl_unlinkat(raw, $0.pointer, directory ? AT_REMOVEDIR : 0) }
    }

    /// The corresponding C function is `renameat2`; `replacing: false` is RENAME_NOREPLACE.
    package func rename(
        _ path: Path, to target: Path, in directory: borrowing OwnedFD, replacing: Bool = true
    ) throws(Errno) {
        let targetRaw = directory.raw
        let flags: UInt32 = replacing ? 0 : 1
        try path.call { from in
            target.nested { unsafe cl_renameat2(raw, from.pointer, targetRaw, $0.pointer, flags) }
        }
    }

    /// As above, within one directory.
    package func rename(_ path: Path, to target: Path, replacing: Bool = true) throws(Errno) {
        try rename(path, to: target, in: self, replacing: replacing)
    }

    /// Two files of this directory change names in one step. The corresponding C function is `renameat2` with
    /// RENAME_EXCHANGE; EINVAL where the filesystem cannot.
    package func exchange(_ path: Path, with other: Path) throws(Errno) {
        try path.call { first in
            other.nested { unsafe cl_renameat2(raw, first.pointer, raw, $0.pointer, 2) }
        }
    }

    /// The corresponding C function is `symlinkat`.
    package func makeSymlink(_ path: Path, text: Path) throws(Errno) {
        try path.call { name in text.nested { unsafe cl_symlinkat($0.pointer, raw, name.pointer) } }
    }

    /// The corresponding C function is `linkat`, without following a symlink.
    package func makeLink(_ path: Path, to existing: Path, in directory: borrowing OwnedFD) throws(Errno) {
        let from = directory.raw
        try path.call { name in existing.nested { unsafe cl_linkat(from, $0.pointer, raw, name.pointer, 0) } }
    }

    /// The text of a symlink in this directory; the empty path reads a symlink opened with O_PATH | O_NOFOLLOW.
    package func readSymlink(_ path: Path) throws(Errno) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: 4096)
        let size = text.count
        let length = try path.call { name in
            // The kernel writes at most `size` bytes, without a NUL.
            unsafe text.withUnsafeMutableBytes {
                unsafe cl_readlinkat(raw, name.pointer, $0.baseAddress?.assumingMemoryBound(to: CChar.self), size)
            }
        }
        if length == size { throw .nameTooLong }
        return Array(text.prefix(length))
    }

    /// The corresponding C function is `mknodat`; the umask applies.
    package func makeNode(
        _ path: Path, kind: NodeKind, mode: UInt32, major: UInt32 = 0, minor: UInt32 = 0
    ) throws(Errno) {
        try path.call { unsafe cl_mknodat(raw, $0.pointer, kind.rawValue | (mode & 0o7777), major, minor) }
    }

    /// The corresponding C function is `fchownat` with AT_SYMLINK_NOFOLLOW; the empty path is the descriptor itself.
    package func changeOwner(_ path: Path = "", uid: UInt32, gid: UInt32) throws(Errno) {
        try path.call { unsafe cl_fchownat(raw, $0.pointer, uid, gid) }
    }

    /// The corresponding C function is `fchmod`; EBADF for an O_PATH descriptor.
    package func changeMode(_ mode: UInt32) throws(Errno) { try retrying { cl_fchmod(raw, mode) } }

    /// The corresponding C function is `fchmodat`: a symlink is followed.
    package func changeMode(_ path: Path, _ mode: UInt32) throws(Errno) {
        try path.call { unsafe cl_fchmodat(raw, $0.pointer, mode) }
    }

    /// The corresponding C function is `fchdir`.
    package func becomeWorkingDirectory() throws(Errno) { try retrying { cl_fchdir(raw) } }
}

/// What mknod(2) can make.
package enum NodeKind: UInt32, Sendable {
    case regular = 0o100000
    case fifo = 0o010000
    case characterDevice = 0o020000
    case blockDevice = 0o060000
}

/// The process's working directory.
package enum WorkingDirectory {
    /// The corresponding C function is `chdir`.
    package static func change(to path: Path) throws(Errno) { try path.call { unsafe cl_chdir($0.pointer) } }

    /// The kernel's own answer, which begins with "(unreachable)" outside of the root: getcwd(2).
    package static func current() throws(Errno) -> [UInt8] {
        var text = [UInt8](repeating: 0, count: 4096)
        let length = try retrying {
            // The kernel writes at most as many bytes as there are.
            unsafe text.withUnsafeMutableBytes {
                unsafe cl_getcwd($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
            }
        }
        return Array(text.prefix(max(length - 1, 0)))
    }
}
