/// The 512-byte header of a tar member: ustar (POSIX.1-1988), and GNU's binary numbers.
struct TarHeader {
    var type: UInt8
    var path: [UInt8]
    var linkTarget: [UInt8]
    var size: Int64
    var mode: Int64
    var uid: Int64
    var gid: Int64
    var modified: Int64
    var major: Int64
    var minor: Int64

    static let bytes = 512

    /// Nil for a block of zeros, which marks the archive's end.
    init?(_ block: ArraySlice<UInt8>) throws(ImageStoreError) {
        guard block.contains(where: { $0 != 0 }) else { return nil }
        let base = block.startIndex
        func field(_ offset: Int, _ length: Int) -> ArraySlice<UInt8> {
            block[(base + offset)..<(base + offset + length)]
        }
        func text(_ offset: Int, _ length: Int) -> [UInt8] { Array(field(offset, length).prefix { $0 != 0 }) }

        // The sum is over unsigned bytes; old archives have one over signed bytes.
        let stated = try Self.number(field(148, 8), "checksum")
        var unsigned: Int64 = 8 * 0x20
        var signed: Int64 = 8 * 0x20
        for (offset, byte) in block.enumerated() where !(148..<156).contains(offset) {
            unsigned += Int64(byte)
            signed += Int64(Int8(bitPattern: byte))
        }
        guard stated == unsigned || stated == signed else {
            throw .corruptContent("read layer: a tar header has a wrong checksum")
        }

        type = block[base + 156]
        path = text(0, 100)
        linkTarget = text(157, 100)
        mode = try Self.number(field(100, 8), "mode")
        uid = try Self.number(field(108, 8), "owner")
        gid = try Self.number(field(116, 8), "group")
        size = try Self.number(field(124, 12), "size")
        modified = try Self.number(field(136, 12), "time")
        major = 0
        minor = 0

        let isPOSIX = field(257, 6).elementsEqual("ustar\0".utf8)
        let isGNU = field(257, 8).elementsEqual("ustar  \0".utf8)
        if isPOSIX || isGNU, type == UInt8(ascii: "3") || type == UInt8(ascii: "4") {
            major = try Self.number(field(329, 8), "device number")
            minor = try Self.number(field(337, 8), "device number")
        }
        if isPOSIX {
            let prefix = text(345, 155)
            if !prefix.isEmpty { path = prefix + [UInt8(ascii: "/")] + path }
        }
        guard size >= 0 else { throw .invalidImage("read layer: a tar member has a negative size") }
    }

    /// Octal digits between blanks, or GNU's two's complement with the first bit set.
    private static func number(_ field: ArraySlice<UInt8>, _ what: String) throws(ImageStoreError) -> Int64 {
        if let first = field.first, first & 0x80 != 0 {
            var value: Int64 = first & 0x40 != 0 ? -1 : 0
            var isFirst = true
            for byte in field {
                let digit = Int64(isFirst ? byte & 0x7f : byte)
                let (shifted, overflows) = value.multipliedReportingOverflow(by: isFirst ? 128 : 256)
                guard !overflows else { throw .invalidImage("read layer: a tar header's \(what) is out of range") }
                value = shifted | digit
                isFirst = false
            }
            return value
        }
        let digits = field.drop { $0 == 0x20 || $0 == 0 }.prefix { $0 != 0x20 && $0 != 0 }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x37).contains(digit) else {
                throw .corruptContent("read layer: a tar header's \(what) is no number")
            }
            value = value << 3 | Int64(digit - 0x30)
        }
        return value
    }
}
