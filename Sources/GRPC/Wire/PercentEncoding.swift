/// The encoding of `grpc-message`: UTF-8 bytes outside space...tilde, and "%", become "%XX" (gRPC over HTTP/2,
/// Responses).
enum PercentEncoding {
    /// Clients built on gRPC's C core refuse more than 8 KiB of metadata, so a longer message is cut at a character.
    static let encodedBytesMax = 4096

    static func encode(_ message: String) -> String {
        if message.utf8.count <= encodedBytesMax, message.utf8.allSatisfy(isPlain) { return message }
        var encoded: [UInt8] = []
        for character in message {
            var piece: [UInt8] = []
            for byte in character.utf8 {
                if isPlain(byte) {
                    piece.append(byte)
                } else {
                    piece += [UInt8(ascii: "%"), hexDigit(byte >> 4), hexDigit(byte & 15)]
                }
            }
            guard encoded.count + piece.count <= encodedBytesMax else { break }
            encoded += piece
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Decodes what it can: a "%" without two hex digits stays as it is, and bytes that are not UTF-8 are replaced.
    static func decode(_ encoded: String) -> String {
        let bytes = Array(encoded.utf8)
        guard bytes.contains(UInt8(ascii: "%")) else { return encoded }
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = value(of: bytes[index + 1]),
                let low = value(of: bytes[index + 2])
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    private static func isPlain(_ byte: UInt8) -> Bool { byte >= 0x20 && byte <= 0x7e && byte != UInt8(ascii: "%") }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + (value - 10)
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
