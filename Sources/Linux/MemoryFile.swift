import CLinux

/// Files in memory (memfd_create(2)) whose content nobody can change any more (file seals, fcntl(2)).
package enum MemoryFile {
    private static let allSeals = 0x1 | 0x2 | 0x4 | 0x8
    private static let contentSeals = 0x2 | 0x4 | 0x8
    private static let addSeals: Int32 = 1033
    private static let getSeals: Int32 = 1034

    /// A sealed file with this content, opened anew for reading only: a writable descriptor would make execve(2) say ETXTBSY.
    package static func sealed(_ content: [UInt8], name: Path, executable: Bool = false) throws(Errno) -> OwnedFD {
        let file = try create(name: name, executable: executable)
        try file.writeAll(content)
        return try seal(file)
    }

    /// A sealed copy of another file, at most `max` bytes of it.
    package static func sealedCopy(
        of source: borrowing OwnedFD, max: Int, name: Path, executable: Bool = true
    ) throws(Errno) -> OwnedFD {
        let file = try create(name: name, executable: executable)
        var copied = 0
        while true {
            let part = try source.read(max: 1 << 18)
            if part.isEmpty { break }
            copied += part.count
            if copied > max { throw .fileTooLarge }
            try file.writeAll(part)
        }
        return try seal(file)
    }

    /// EPERM where the content could still be changed.
    package static func checkSeals(_ file: borrowing OwnedFD) throws(Errno) {
        let seals = try check(cl_fcntl(file.raw, getSeals, 0))
        if seals & contentSeals != contentSeals { throw .notPermitted }
    }

    /// The content of a sealed file from its beginning: EPERM where it is not sealed, EFBIG where it is longer than `max`.
    package static func readSealed(_ file: borrowing OwnedFD, max: Int) throws(Errno) -> [UInt8] {
        try checkSeals(file)
        let size = try file.status().size
        if size > UInt64(max) { throw .fileTooLarge }
        let content = try file.read(max: Int(size), at: 0)
        if content.count != Int(size) { throw .inputOutput }
        return content
    }

    private static func create(name: Path, executable: Bool) throws(Errno) -> OwnedFD {
        // MFD_CLOEXEC 1 | MFD_ALLOW_SEALING 2 | MFD_EXEC 0x10 or MFD_NOEXEC_SEAL 8 (6.3; EINVAL before).
        let kind: UInt32 = executable ? 0x10 : 0x8
        do throws(Errno) {
            return OwnedFD(taking: descriptor(try name.call { unsafe cl_memfd_create($0.pointer, 0x3 | kind) }))
        } catch {
            if error != .invalidArgument { throw error }
            return OwnedFD(taking: descriptor(try name.call { unsafe cl_memfd_create($0.pointer, 0x3) }))
        }
    }

    private static func seal(_ file: consuming OwnedFD) throws(Errno) -> OwnedFD {
        try check(cl_fcntl(file.raw, addSeals, allSeals))
        return try file.reopen(.readOnly)
    }
}
