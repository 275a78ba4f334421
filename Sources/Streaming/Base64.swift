import NIOCore

/// Base64 (RFC 4648, 4), for the channels of browsers.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: ByteBuffer) -> ByteBuffer {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.readableBytes + 2) / 3 * 4)
        var group: UInt32 = 0
        var count = 0
        for byte in bytes.readableBytesView {
            group = group << 8 | UInt32(byte)
            count += 1
            guard count == 3 else { continue }
            for shift: UInt32 in [18, 12, 6, 0] { text.append(alphabet[Int(group >> shift & 63)]) }
            (group, count) = (0, 0)
        }
        if count > 0 {
            group <<= UInt32(8 * (3 - count))
            for shift: UInt32 in [18, 12, 6, 0].prefix(count + 1) { text.append(alphabet[Int(group >> shift & 63)]) }
            for _ in count..<3 { text.append(UInt8(ascii: "=")) }
        }
        return ByteBuffer(bytes: text)
    }

    /// Decodes one message that comes in pieces.
    struct Decoder {
        private var group: UInt32 = 0
        private var count = 0
        private var padding = 0

        /// Nil for what is not base64; then the decoder is of no more use.
        mutating func decode(_ text: ByteBuffer) -> ByteBuffer? {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(text.readableBytes / 4 * 3 + 3)
            for byte in text.readableBytesView {
                if byte == UInt8(ascii: "=") {
                    padding += 1
                    // After the padding only what is left over from two or three digits may be there.
                    guard padding + count <= 4, count >= 2 else { return nil }
                    continue
                }
                guard padding == 0, let value = Self.value(byte) else { return nil }
                group = group << 6 | value
                count += 1
                guard count == 4 else { continue }
                for shift: UInt32 in [16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: group >> shift)) }
                (group, count) = (0, 0)
            }
            return ByteBuffer(bytes: bytes)
        }

        /// What the last, padded group holds; nil where it is cut off.
        mutating func finish() -> ByteBuffer? {
            guard count > 0 else { return padding == 0 ? ByteBuffer() : nil }
            guard count + padding == 4 else { return nil }
            let whole = group << UInt32(6 * (4 - count))
            let bytes = [16, 8].prefix(count - 1).map { (shift: UInt32) in UInt8(truncatingIfNeeded: whole >> shift) }
            return ByteBuffer(bytes: bytes)
        }

        private static func value(_ byte: UInt8) -> UInt32? {
            switch byte {
            case 0x41...0x5a: UInt32(byte - 0x41)
            case 0x61...0x7a: UInt32(byte - 0x61 + 26)
            case 0x30...0x39: UInt32(byte - 0x30 + 52)
            case UInt8(ascii: "+"): 62
            case UInt8(ascii: "/"): 63
            default: nil
            }
        }
    }
}
