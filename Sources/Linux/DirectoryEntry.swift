import CLinux

/// One name in a directory.
package struct DirectoryEntry: Sendable, Equatable {
    package var name: [UInt8]
    package var inode: UInt64
    /// nil where the file system does not say (DT_UNKNOWN).
    package var kind: FileStatus.Kind?
}

extension OwnedFD {
    /// The names in this directory but "." and "..", from its beginning; EFBIG when there are more than `max`.
    package func entries(max: Int) throws(Errno) -> [DirectoryEntry] {
        try seek(to: 0)
        var all: [DirectoryEntry] = []
        while true {
            let part = try entriesPart()
            if part.isEmpty { return all }
            for entry in part where !entry.isDot {
                if all.count == max { throw .fileTooLarge }
                all.append(entry)
            }
        }
    }

    /// The entries of one getdents64(2), dots included; none at the end.
    package func entriesPart() throws(Errno) -> [DirectoryEntry] {
        var records = [UInt8](repeating: 0, count: 16384)
        let length = try retrying {
            // The kernel writes at most as many bytes as there are.
            unsafe records.withUnsafeMutableBytes { unsafe cl_getdents(raw, $0.baseAddress, $0.count) }
        }
        var found: [DirectoryEntry] = []
        var at = 0
        // struct linux_dirent64: inode 8, offset 8, record length 2, type 1, name with NUL.
        while at + 19 < length {
            let size = Int(records[at + 16]) | Int(records[at + 17]) << 8
            if size < 20 || at + size > length { throw .inputOutput }
            var inode: UInt64 = 0
            for byte in 0..<8 { inode |= UInt64(records[at + byte]) << UInt64(8 * byte) }
            let name = records[(at + 19)..<(at + size)].prefix { $0 != 0 }
            found.append(DirectoryEntry(name: Array(name), inode: inode, kind: FileStatus.Kind(type: records[at + 18])))
            at += size
        }
        return found
    }
}

extension DirectoryEntry {
    package var isDot: Bool {
        name.count <= 2 && name.allSatisfy { $0 == UInt8(ascii: ".") }
    }
}

extension FileStatus.Kind {
    /// From DT_* of readdir(3).
    init?(type: UInt8) {
        switch type {
        case 1: self = .fifo
        case 2: self = .characterDevice
        case 4: self = .directory
        case 6: self = .blockDevice
        case 8: self = .regular
        case 10: self = .symlink
        case 12: self = .socket
        default: return nil
        }
    }
}
