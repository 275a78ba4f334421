/// Builds tar archives, hostile ones too: what a field says is up to the test.
struct TarBuilder {
    private(set) var bytes: [UInt8] = []

    /// One member. Numbers of type `Int` are written in octal if they fit, else in base 256.
    mutating func add(
        _ path: [UInt8], type: Character = "0", mode: Int = 0o644, uid: Int = 0, gid: Int = 0, content: [UInt8] = [],
        size: Int? = nil,
        time: Int = 1_000_000_000, link: [UInt8] = [], major: Int = 0, minor: Int = 0, pax: [(String, [UInt8])] = [],
        breaksChecksum: Bool = false
    ) {
        if !pax.isEmpty { add(Array("pax".utf8), type: "x", content: Self.records(pax)) }
        var path = path
        var link = link
        // Names that do not fit a header travel as GNU does it.
        if path.count > 100 {
            add(Array("././@LongLink".utf8), type: "L", content: path + [0])
            path = Array(path.prefix(100))
        }
        if link.count > 100 {
            add(Array("././@LongLink".utf8), type: "K", content: link + [0])
            link = Array(link.prefix(100))
        }
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Collection<UInt8>, at offset: Int) {
            for (index, byte) in bytes.enumerated() { header[offset + index] = byte }
        }
        put(path, at: 0)
        put(Self.number(mode, 8), at: 100)
        put(Self.number(uid, 8), at: 108)
        put(Self.number(gid, 8), at: 116)
        put(Self.number(size ?? content.count, 12), at: 124)
        put(Self.number(time, 12), at: 136)
        put(Array("        ".utf8), at: 148)
        header[156] = type.asciiValue ?? 0
        put(link, at: 157)
        put(Array("ustar\u{0}00".utf8), at: 257)
        put(Self.number(major, 8), at: 329)
        put(Self.number(minor, 8), at: 337)
        let sum = header.reduce(0) { $0 + Int($1) } + (breaksChecksum ? 1 : 0)
        put(Self.number(sum, 8).dropLast(1), at: 148)
        header[155] = 0x20
        bytes += header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    mutating func add(
        _ path: String, type: Character = "0", mode: Int? = nil, uid: Int = 0, gid: Int = 0, content: String = "",
        link: String = "",
        major: Int = 0, minor: Int = 0, pax: [(String, [UInt8])] = []
    ) {
        add(
            Array(path.utf8), type: type, mode: mode ?? (type == "5" ? 0o755 : 0o644), uid: uid, gid: gid,
            content: Array(content.utf8),
            link: Array(link.utf8), major: major, minor: minor, pax: pax)
    }

    /// The archive with its end.
    var archive: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    static func archive(_ build: (inout TarBuilder) -> Void) -> [UInt8] {
        var builder = TarBuilder()
        build(&builder)
        return builder.archive
    }

    static func records(_ records: [(String, [UInt8])]) -> [UInt8] {
        records.flatMap { key, value -> [UInt8] in
            let rest = [0x20] + Array("\(key)=".utf8) + value + [0x0a]
            var length = rest.count + 1
            while String(length).utf8.count + rest.count != length { length += 1 }
            return Array(String(length).utf8) + rest
        }
    }

    private static func number(_ value: Int, _ width: Int) -> [UInt8] {
        let digits = String(max(value, 0), radix: 8)
        if value >= 0, digits.utf8.count < width {
            return Array((String(repeating: "0", count: width - 1 - digits.utf8.count) + digits).utf8) + [0]
        }
        var bytes = [UInt8](repeating: value < 0 ? 0xff : 0, count: width)
        for place in 0..<min(8, width) { bytes[width - 1 - place] = UInt8(truncatingIfNeeded: value >> (8 * place)) }
        bytes[0] |= 0x80
        return bytes
    }
}

/// gzip without compression: stored blocks, as RFC 1951 allows.
enum StoredGzip {
    static func compress(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
        var rest = bytes[...]
        repeat {
            let part = rest.prefix(65535)
            rest = rest.dropFirst(part.count)
            let length = UInt16(part.count)
            out.append(rest.isEmpty ? 1 : 0)
            out += [UInt8(length & 0xff), UInt8(length >> 8), UInt8(~length & 0xff), UInt8(~length >> 8)]
            out += part
        } while !rest.isEmpty
        return out + little(crc32(bytes)) + little(UInt32(truncatingIfNeeded: bytes.count))
    }

    private static func little(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xffff_ffff
        for byte in bytes { crc = table[Int((crc ^ UInt32(byte)) & 0xff)] ^ (crc >> 8) }
        return ~crc
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xedb8_8320 ^ (value >> 1) : value >> 1 }
    }
}
