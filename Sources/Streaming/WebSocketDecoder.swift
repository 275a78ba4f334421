import NIOCore
import NIOWebSocket

/// Reads a client's frames (RFC 6455, 5) in whatever pieces they come, and hands payload on as it arrives.
struct WebSocketDecoder {
    enum Event: Equatable {
        /// A part of a message. The first may be empty, and so may the last.
        case piece(WebSocketPiece)
        case ping(ByteBuffer)
        case pong
        /// The code is nil where the client gave none.
        case close(UInt16?)
    }

    /// What a client must not do; the number is that of the Close frame (7.4.1).
    struct Breach: Error, Equatable {
        var code: UInt16
        static let protocolError = Breach(code: 1002)
        static let invalidData = Breach(code: 1007)
        static let tooLarge = Breach(code: 1009)
    }

    private enum Opcode {
        static let continuation: UInt8 = 0
        static let text: UInt8 = 1
        static let binary: UInt8 = 2
        static let close: UInt8 = 8
        static let ping: UInt8 = 9
        static let pong: UInt8 = 10
    }

    private struct Frame {
        var opcode: UInt8
        var isFinal: Bool
        var length: Int
        var mask: WebSocketMaskingKey
        var done = 0
        var isControl: Bool { opcode >= Opcode.close }
    }

    private static let controlBytesMax = 125

    private let messageBytesMax: Int
    private var input = ByteBuffer()
    private var frame: Frame?
    /// A message has begun and not ended; its payload so far.
    private var isInMessage = false
    private var messageBytes = 0

    init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

    mutating func append(_ bytes: ByteBuffer) {
        if input.readableBytes == 0 {
            input = bytes
        } else {
            input.discardReadBytes()
            input.writeImmutableBuffer(bytes)
        }
    }

    /// Nil when more bytes are needed.
    mutating func next() throws(Breach) -> Event? {
        if frame == nil { frame = try takeHead() }
        guard let frame else { return nil }
        return frame.isControl ? try takeControl(frame) : takePiece(frame)
    }

    private mutating func takeHead() throws(Breach) -> Frame? {
        let start = input.readerIndex
        guard let first = input.getInteger(at: start, as: UInt8.self),
            let second = input.getInteger(at: start + 1, as: UInt8.self)
        else { return nil }
        let opcode = first & 0xf
        // No extension was agreed on, and clients mask (5.1).
        guard first & 0x70 == 0, second & 0x80 != 0 else { throw .protocolError }
        var headBytes = 2
        var length = UInt64(second & 0x7f)
        if length == 126 {
            guard let long = input.getInteger(at: start + 2, as: UInt16.self) else { return nil }
            length = UInt64(long)
            headBytes += 2
        } else if length == 127 {
            guard let long = input.getInteger(at: start + 2, as: UInt64.self) else { return nil }
            length = long
            headBytes += 8
        }
        let isFinal = first & 0x80 != 0
        try check(opcode, isFinal: isFinal, length)
        guard let key = input.getBytes(at: start + headBytes, length: 4), let mask = WebSocketMaskingKey(key) else {
            return nil
        }
        input.moveReaderIndex(forwardBy: headBytes + 4)
        return Frame(opcode: opcode, isFinal: isFinal, length: Int(length), mask: mask)
    }

    private func check(_ opcode: UInt8, isFinal: Bool, _ length: UInt64) throws(Breach) {
        switch opcode {
        case Opcode.close, Opcode.ping, Opcode.pong:
            guard isFinal, length <= UInt64(Self.controlBytesMax) else { throw .protocolError }
        case Opcode.continuation, Opcode.text, Opcode.binary:
            guard isInMessage == (opcode == Opcode.continuation) else { throw .protocolError }
            let before = opcode == Opcode.continuation ? messageBytes : 0
            guard length <= UInt64(messageBytesMax - before) else { throw .tooLarge }
        default: throw .protocolError
        }
    }

    private mutating func takeControl(_ frame: Frame) throws(Breach) -> Event? {
        guard var payload = input.readSlice(length: frame.length) else { return nil }
        self.frame = nil
        payload.webSocketUnmask(frame.mask)
        switch frame.opcode {
        case Opcode.ping: return .ping(payload)
        case Opcode.pong: return .pong
        default:
            // A code of one byte is none (5.5.1).
            guard payload.readableBytes != 1 else { throw .protocolError }
            return .close(payload.readInteger(as: UInt16.self))
        }
    }

    private mutating func takePiece(_ frame: Frame) -> Event? {
        let count = min(frame.length - frame.done, input.readableBytes)
        guard count > 0 || frame.length == 0 else { return nil }
        var bytes = input.readSlice(length: count) ?? ByteBuffer()
        bytes.webSocketUnmask(frame.mask, indexOffset: frame.done)
        let isStart = frame.opcode != Opcode.continuation && frame.done == 0
        if isStart { messageBytes = 0 }
        messageBytes += count
        let isComplete = frame.done + count == frame.length
        let isEnd = isComplete && frame.isFinal
        isInMessage = !isEnd
        if isComplete { self.frame = nil } else { self.frame?.done += count }
        return .piece(WebSocketPiece(bytes: bytes, isStart: isStart, isEnd: isEnd))
    }
}

/// A part of a client's message, unmasked.
struct WebSocketPiece: Equatable {
    var bytes: ByteBuffer
    var isStart: Bool
    var isEnd: Bool
}
