import NIOCore

/// Frames of a server (RFC 6455, 5) out of bytes. Payload is handed on as it arrives, so no length needs memory.
struct WebSocketDecoder {
    enum Event: Equatable {
        /// A piece of a binary message.
        case piece(WebSocketPiece)
        case ping(ByteBuffer)
        case pong
        /// Code and reason.
        case close(UInt16, String)
    }

    private struct Frame {
        var left: Int
        var isFinal: Bool
        var startsMessage: Bool
    }

    private static let controlBytesMax = 125

    private var buffer = ByteBuffer()
    private var frame: Frame?
    private var isInMessage = false

    mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            // At most the beginning of a frame is left over.
            buffer.discardReadBytes()
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// What comes next; nil if more bytes are needed.
    mutating func next() throws(StreamError) -> Event? {
        if let frame { return takePiece(of: frame) }
        guard let first = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self),
            let second = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt8.self)
        else { return nil }
        guard first & 0x70 == 0 else {
            throw StreamError("WebSocket: the server uses an extension that nobody offered")
        }
        guard second & 0x80 == 0 else { throw StreamError("WebSocket: the server masks its frames") }
        let isFinal = first & 0x80 != 0
        let opcode = first & 0x0f
        guard opcode & 0x08 == 0 else {
            guard isFinal, second <= Self.controlBytesMax else {
                throw StreamError("WebSocket: a control frame is too long or in parts")
            }
            return try control(opcode, length: Int(second))
        }
        guard let (length, headBytes) = try length(second) else { return nil }
        buffer.moveReaderIndex(forwardBy: headBytes)
        try begin(opcode, isFinal: isFinal, length: length)
        return try next()
    }

    private mutating func begin(_ opcode: UInt8, isFinal: Bool, length: Int) throws(StreamError) {
        switch opcode {
        case WebSocketOpcode.continuation where isInMessage: break
        case WebSocketOpcode.binary where !isInMessage: break
        case WebSocketOpcode.text: throw StreamError("WebSocket: the server sends text")
        default: throw StreamError("WebSocket: a frame of kind \(opcode) is out of place")
        }
        frame = Frame(left: length, isFinal: isFinal, startsMessage: !isInMessage)
        isInMessage = !isFinal
    }

    private mutating func takePiece(of current: Frame) -> Event? {
        guard let bytes = buffer.readSlice(length: min(current.left, buffer.readableBytes)),
            bytes.readableBytes > 0 || current.left == 0
        else { return nil }
        let left = current.left - bytes.readableBytes
        frame = left > 0 ? Frame(left: left, isFinal: current.isFinal, startsMessage: false) : nil
        return .piece(
            WebSocketPiece(bytes: bytes, isFirst: current.startsMessage, isLast: current.isFinal && left == 0))
    }

    private mutating func control(_ opcode: UInt8, length: Int) throws(StreamError) -> Event? {
        guard buffer.readableBytes >= 2 + length else { return nil }
        buffer.moveReaderIndex(forwardBy: 2)
        var payload = buffer.readSlice(length: length) ?? ByteBuffer()
        switch opcode {
        case WebSocketOpcode.close:
            // 1005: no code was given (7.4.1).
            let code = payload.readInteger(as: UInt16.self) ?? 1005
            return .close(code, String(buffer: payload))
        case WebSocketOpcode.ping: return .ping(payload)
        case WebSocketOpcode.pong: return .pong
        default: throw StreamError("WebSocket: a frame of kind \(opcode) is out of place")
        }
    }

    /// The payload's length and how many bytes lead up to it.
    private func length(_ second: UInt8) throws(StreamError) -> (Int, Int)? {
        switch second {
        case 126: return buffer.getInteger(at: buffer.readerIndex + 2, as: UInt16.self).map { (Int($0), 4) }
        case 127:
            guard let length = buffer.getInteger(at: buffer.readerIndex + 2, as: UInt64.self) else { return nil }
            guard let length = Int(exactly: length) else {
                throw StreamError("WebSocket: a frame of \(length) bytes")
            }
            return (length, 10)
        default: return (Int(second), 2)
        }
    }
}

/// What arrived of a message: some of its bytes.
struct WebSocketPiece: Equatable, Sendable {
    var bytes: ByteBuffer
    var isFirst: Bool
    var isLast: Bool
}

/// Kinds of frames (RFC 6455, 5.2).
enum WebSocketOpcode {
    static let continuation: UInt8 = 0
    static let text: UInt8 = 1
    static let binary: UInt8 = 2
    static let close: UInt8 = 8
    static let ping: UInt8 = 9
    static let pong: UInt8 = 10
}
