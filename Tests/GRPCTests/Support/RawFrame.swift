/// An HTTP/2 frame made by hand (RFC 9113, 4.1), right or wrong.
struct RawFrame {
    enum Kind: UInt8 {
        case data = 0, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
    }

    static let endStream: UInt8 = 0x1
    static let ack: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8

    var kind: UInt8
    var flags: UInt8
    var stream: UInt32
    var payload: [UInt8]

    init(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) {
        self.init(kind: kind.rawValue, flags: flags, stream: stream, payload: payload)
    }

    init(kind: UInt8, flags: UInt8, stream: UInt32, payload: [UInt8]) {
        (self.kind, self.flags, self.stream, self.payload) = (kind, flags, stream, payload)
    }

    /// The error code of GOAWAY or RST_STREAM.
    var errorCode: UInt32? {
        switch Kind(rawValue: kind) {
        case .goAway where payload.count >= 8: number(at: 4)
        case .reset where payload.count == 4: number(at: 0)
        default: nil
        }
    }

    private func number(at index: Int) -> UInt32 {
        payload[index..<index + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    var bytes: [UInt8] { Self.header(length: payload.count, kind: kind, flags: flags, stream: stream) + payload }

    static func header(length: Int, kind: UInt8, flags: UInt8, stream: UInt32) -> [UInt8] {
        bigEndian(UInt32(length)).dropFirst() + [kind, flags] + bigEndian(stream)
    }

    static func bigEndian(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    // MARK: Requests

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    /// The preface and empty settings.
    static let opening = preface + RawFrame(.settings).bytes

    /// A header block of literals without indexing (RFC 7541, 6.2.2).
    static func block(_ headers: [(String, String)]) -> [UInt8] {
        headers.flatMap { name, value in [0] + literal(name) + literal(value) }
    }

    /// A string without Huffman coding, its length as a 7-bit-prefix integer (RFC 7541, 5.1 and 5.2).
    static func literal(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var length = text.utf8.count
        if length < 127 {
            bytes.append(UInt8(length))
        } else {
            bytes.append(127)
            length -= 127
            while length >= 128 {
                bytes.append(UInt8(length % 128 + 128))
                length /= 128
            }
            bytes.append(UInt8(length))
        }
        return bytes + Array(text.utf8)
    }

    static func requestHeaders(
        _ path: String, method: String = "POST", contentType: String = "application/grpc", more: [(String, String)] = []
    ) -> [(String, String)] {
        [
            (":method", method), (":scheme", "http"), (":path", path), (":authority", "localhost"), ("te", "trailers"),
            ("content-type", contentType),
        ] + more
    }

    static func request(_ stream: UInt32, _ headers: [(String, String)], endStream: Bool = false) -> RawFrame {
        RawFrame(
            .headers, flags: RawFrame.endHeaders | (endStream ? RawFrame.endStream : 0), stream: stream, block(headers))
    }

    static func call(_ stream: UInt32, _ path: String) -> RawFrame {
        request(stream, requestHeaders(path))
    }

    static func data(_ stream: UInt32, _ payload: [UInt8], endStream: Bool = true) -> RawFrame {
        RawFrame(.data, flags: endStream ? RawFrame.endStream : 0, stream: stream, payload)
    }

    /// A message with its length prefix.
    static func message(_ bytes: [UInt8], claiming length: UInt32? = nil, flag: UInt8 = 0) -> [UInt8] {
        [flag] + bigEndian(length ?? UInt32(bytes.count)) + bytes
    }
}
