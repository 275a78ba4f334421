/// One line of /proc/<pid>/mountinfo (proc_pid_mountinfo(5)).
package struct MountInfo: Sendable, Equatable {
    package var id: UInt64
    package var parent: UInt64
    package var major: UInt32
    package var minor: UInt32
    /// The part of the file system that is mounted.
    package var root: [UInt8]
    package var mountPoint: [UInt8]
    package var options: [UInt8]
    /// Peer groups: `shared:N` and `master:N`.
    package var sharedGroup: UInt64?
    package var masterGroup: UInt64?
    package var type: [UInt8]
    package var source: [UInt8]
    package var superOptions: [UInt8]
}

extension MountInfo {
    /// Every line that can be read; others are skipped. Any bytes give a result.
    package static func parse(_ text: [UInt8]) -> [MountInfo] {
        var mounts: [MountInfo] = []
        for line in text.split(separator: UInt8(ascii: "\n")) {
            if let mount = MountInfo(line: line) { mounts.append(mount) }
        }
        return mounts
    }

    /// The mounts that the calling process sees; EFBIG when the table is longer than `max` bytes.
    package static func current(max: Int = 8 << 20) throws(Errno) -> [MountInfo] {
        parse(try OwnedFD.open("/proc/self/mountinfo", .readOnly).readToEnd(max: max))
    }

    /// Where the cgroup v2 hierarchy is mounted: never assumed, since hybrid hosts put it elsewhere.
    package static func cgroup2MountPoint() throws(Errno) -> [UInt8]? {
        let name = Path("cgroup2").bytes
        for mount in try current() where mount.type == name && mount.root == [UInt8(ascii: "/")] {
            return mount.mountPoint
        }
        return nil
    }

    private init?(line: ArraySlice<UInt8>) {
        let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard fields.count >= 10, let id = number(fields[0]), let parent = number(fields[1]) else { return nil }
        let device = fields[2].split(separator: UInt8(ascii: ":"))
        guard device.count == 2, let major = number(device[0]), let minor = number(device[1]) else { return nil }
        guard let major = UInt32(exactly: major), let minor = UInt32(exactly: minor) else { return nil }
        self.id = id
        self.parent = parent
        self.major = major
        self.minor = minor
        root = unescaped(fields[3])
        mountPoint = unescaped(fields[4])
        options = Array(fields[5])
        var next = 6
        while next < fields.count, fields[next].count != 1 || fields[next].first != UInt8(ascii: "-") {
            if let group = tagged(fields[next], "shared:") { sharedGroup = group }
            if let group = tagged(fields[next], "master:") { masterGroup = group }
            next += 1
        }
        guard next + 3 < fields.count else { return nil }
        type = unescaped(fields[next + 1])
        source = unescaped(fields[next + 2])
        superOptions = Array(fields[next + 3])
    }
}

/// Decimal digits and nothing else; nil beyond 64 bits.
package func number(_ text: ArraySlice<UInt8>) -> UInt64? {
    if text.isEmpty { return nil }
    var value: UInt64 = 0
    for byte in text {
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        let (scaled, high) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = scaled.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
        if high || carry { return nil }
        value = sum
    }
    return value
}

private func tagged(_ field: ArraySlice<UInt8>, _ tag: Path) -> UInt64? {
    let prefix = tag.bytes
    return field.starts(with: prefix) ? number(field.dropFirst(prefix.count)) : nil
}

/// Octal escapes of space, tab, newline and backslash: `\040` and so on.
private func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
    var plain: [UInt8] = []
    plain.reserveCapacity(field.count)
    var rest = field
    while let byte = rest.popFirst() {
        let digits = rest.prefix(3)
        if byte == UInt8(ascii: "\\"), digits.count == 3,
            digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "7") })
        {
            var value = 0
            for digit in digits { value = value * 8 + Int(digit - UInt8(ascii: "0")) }
            plain.append(UInt8(truncatingIfNeeded: value))
            rest = rest.dropFirst(3)
        } else {
            plain.append(byte)
        }
    }
    return plain
}
