/// The node's mount table, as far as propagation asks for it (proc_pid_mountinfo(5)).
package struct HostMounts: Sendable, Equatable {
    /// One line of the table.
    package struct Mount: Sendable, Equatable {
        package var path: String
        package var isShared: Bool
        package var isSlave: Bool

        package init(path: String, isShared: Bool, isSlave: Bool) {
            self.path = path
            self.isShared = isShared
            self.isSlave = isSlave
        }
    }

    package var mounts: [Mount]

    package init(_ mounts: [Mount] = []) { self.mounts = mounts }

    /// Reads mountinfo; lines that are none are passed over.
    package init(mountinfo: [UInt8]) {
        mounts = mountinfo.split(separator: UInt8(ascii: "\n")).compactMap(Self.mount)
    }

    /// The mount that `path`, which must be free of links, lies on: the longest that contains it, the last of equals.
    package func mount(holding path: String) -> Mount? {
        var best: Mount?
        for mount in mounts where NodePath.contains(mount.path, path) {
            if mount.path.utf8.count >= best?.path.utf8.count ?? 0 { best = mount }
        }
        return best
    }

    private static func mount(_ line: ArraySlice<UInt8>) -> Mount? {
        let fields = line.split(separator: UInt8(ascii: " "))
        guard fields.count >= 7, let end = fields.dropFirst(6).firstIndex(of: [UInt8(ascii: "-")]) else { return nil }
        let tags = fields[6..<end].map { String(decoding: $0, as: UTF8.self) }
        return Mount(
            path: unescaped(fields[4]), isShared: tags.contains { $0.hasPrefix("shared:") },
            isSlave: tags.contains { $0.hasPrefix("master:") })
    }

    /// Spaces, tabs, line ends and backslashes come as three octal digits.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> String {
        var out: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                out.append(value)
                rest = rest.dropFirst(3)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
