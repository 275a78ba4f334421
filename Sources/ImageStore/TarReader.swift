/// Reads a tar archive as it arrives: ustar, PAX and GNU long names; everything of bounded size.
///
///     header --(x, L, K)--> extension --> header --> content --> padding --> header ... --(zeros)--> end
struct TarReader {
    private enum State {
        /// Collecting the 512 bytes of a header.
        case header
        /// Collecting a PAX header or a long name; the type says which. Type "g" is passed over.
        case extended(type: UInt8, left: Int)
        case content(left: Int64)
        case padding(left: Int)
        /// After the first block of zeros: only zeros may follow.
        case end
    }

    private var state = State.header
    private var collected: [UInt8] = []
    private var pax = PaxHeader()
    private var longPath: [UInt8]?
    private var longLinkTarget: [UInt8]?
    private var paddingAfter = 0

    /// Takes the next bytes of the archive.
    mutating func consume(
        _ bytes: ArraySlice<UInt8>, into sink: inout some TarSink & ~Copyable
    ) throws(ImageStoreError) {
        var rest = bytes
        while !rest.isEmpty {
            switch state {
            case .header:
                collect(&rest, upTo: TarHeader.bytes)
                guard collected.count == TarHeader.bytes else { return }
                let header = try TarHeader(collected[...])
                collected.removeAll(keepingCapacity: true)
                try begin(header, into: &sink)
            case .extended(let type, let left):
                let part = rest.prefix(left)
                if type != UInt8(ascii: "g") { collected += part }
                rest = rest.dropFirst(part.count)
                state = .extended(type: type, left: left - part.count)
                if part.count == left { try endExtended(type) }
            case .content(let left):
                let part = rest.prefix(Int(clamping: left))
                try sink.content(part)
                rest = rest.dropFirst(part.count)
                state = .content(left: left - Int64(part.count))
                if Int64(part.count) == left {
                    try sink.end()
                    pad()
                }
            case .padding(let left):
                let part = rest.prefix(left)
                rest = rest.dropFirst(part.count)
                state = part.count == left ? .header : .padding(left: left - part.count)
            case .end:
                guard rest.allSatisfy({ $0 == 0 }) else {
                    throw .invalidImage("read layer: something follows the end of the tar archive")
                }
                return
            }
        }
    }

    /// Throws unless the archive ended as archives end.
    func finish() throws(ImageStoreError) {
        guard case .end = state else { throw .corruptContent("read layer: the tar archive is cut off") }
    }

    private mutating func collect(_ rest: inout ArraySlice<UInt8>, upTo count: Int) {
        let part = rest.prefix(count - collected.count)
        collected += part
        rest = rest.dropFirst(part.count)
    }

    private mutating func begin(_ header: TarHeader?, into sink: inout some TarSink & ~Copyable) throws(ImageStoreError)
    {
        guard let header else {
            state = .end
            return
        }
        switch header.type {
        case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K"):
            guard header.size <= Int64(PaxHeader.bytesMax), header.size > 0 else {
                throw .limitExceeded(
                    "read layer: an extended tar header has more than \(PaxHeader.bytesMax) bytes or none")
            }
            paddingAfter = Self.padding(header.size)
            state = .extended(type: header.type, left: Int(header.size))
        default:
            let entry = try entry(header)
            pax = PaxHeader()
            longPath = nil
            longLinkTarget = nil
            try sink.begin(entry)
            paddingAfter = Self.padding(entry.size)
            state = .content(left: entry.size)
            if entry.size == 0 {
                try sink.end()
                pad()
            }
        }
    }

    private mutating func endExtended(_ type: UInt8) throws(ImageStoreError) {
        let bytes = collected
        collected = []
        switch type {
        case UInt8(ascii: "x"): pax = try PaxHeader(bytes)
        case UInt8(ascii: "L"): longPath = Array(bytes.prefix { $0 != 0 })
        case UInt8(ascii: "K"): longLinkTarget = Array(bytes.prefix { $0 != 0 })
        default: break
        }
        pad()
    }

    private mutating func pad() { state = paddingAfter == 0 ? .header : .padding(left: paddingAfter) }

    private static func padding(_ size: Int64) -> Int { Int((512 - size % 512) % 512) }

    /// The member that a header and the extended headers before it describe.
    private func entry(_ header: TarHeader) throws(ImageStoreError) -> TarEntry {
        let path = pax.path ?? longPath ?? header.path
        let target = pax.linkTarget ?? longLinkTarget ?? header.linkTarget
        func invalid(_ what: String) -> ImageStoreError { .invalidImage("read layer: \"\(printable(path))\" \(what)") }

        var size = pax.size ?? header.size
        let kind: TarEntry.Kind
        switch header.type {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
            // Before ustar, a directory was a file whose name ends in a slash.
            kind = path.last == UInt8(ascii: "/") ? .directory : .regular
        case UInt8(ascii: "1"): kind = .hardlink(target: target)
        case UInt8(ascii: "2"): kind = .symlink(target: target)
        case UInt8(ascii: "3"):
            kind = .characterDevice(
                major: try Self.device(header.major, path), minor: try Self.device(header.minor, path))
        case UInt8(ascii: "4"):
            kind = .blockDevice(major: try Self.device(header.major, path), minor: try Self.device(header.minor, path))
        case UInt8(ascii: "5"): kind = .directory
        case UInt8(ascii: "6"): kind = .fifo
        case UInt8(ascii: "S"): throw .unimplemented("unpack layer: sparse files in tar archives are not supported")
        default: throw invalid("is of an unknown kind")
        }
        if kind != .regular { size = 0 }

        let (seconds, nanoseconds) = pax.modified ?? (header.modified, 0)
        guard let uid = UInt32(exactly: pax.uid ?? header.uid), let gid = UInt32(exactly: pax.gid ?? header.gid),
            uid != .max, gid != .max
        else { throw invalid("has an owner or a group out of range") }
        // Later than the year 9999 is nonsense, and file systems differ in what they make of it.
        guard (-62_135_596_800...253_402_300_799).contains(seconds) else { throw invalid("has a time out of range") }
        guard size >= 0 else { throw invalid("has a negative size") }

        return TarEntry(
            path: path, kind: kind, size: size, mode: UInt32(truncatingIfNeeded: header.mode) & 0o7777, uid: uid,
            gid: gid,
            modifiedSeconds: seconds, modifiedNanoseconds: nanoseconds, attributes: pax.attributes)
    }

    /// Linux has 12 bits for a major and 20 for a minor number; the smaller bound of each field is checked where the
    /// node is made.
    private static func device(_ number: Int64, _ path: [UInt8]) throws(ImageStoreError) -> UInt32 {
        guard (0..<(1 << 20)).contains(number) else {
            throw .invalidImage("read layer: \"\(printable(path))\" has a device number out of range")
        }
        return UInt32(number)
    }
}
