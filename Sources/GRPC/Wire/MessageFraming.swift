import NIOCore

/// Cuts the DATA of a stream into messages: a flag byte, four bytes of length, the message (gRPC over HTTP/2,
/// Length-Prefixed-Message).
///
/// Frames and messages need not meet: a message may span many frames and a frame may hold many messages. Memory grows
/// with what arrived, never with what a length prefix promises.
struct MessageReader {
    static let prefixBytes = 5

    let messageBytesMax: Int
    private var pending = ByteBuffer()

    init(messageBytesMax: Int) {
        self.messageBytesMax = messageBytesMax
    }

    /// True between messages.
    var isEmpty: Bool { pending.readableBytes == 0 }

    /// Bytes that wait for the rest of their message.
    var bufferedBytes: Int { pending.readableBytes }

    /// Takes the next piece of DATA; the bytes are copied, so that a fragment does not keep a whole receive buffer
    /// alive.
    mutating func append(_ data: inout ByteBuffer) {
        if pending.readableBytes == 0 { pending.clear() }
        pending.writeBuffer(&data)
    }

    /// Returns the next whole message, or nil until more data arrives.
    mutating func next() throws(GRPCStatus) -> [UInt8]? {
        guard let length = try Self.messageLength(pending, max: messageBytesMax) else { return nil }
        guard pending.readableBytes >= Self.prefixBytes + length else { return nil }
        pending.moveReaderIndex(forwardBy: Self.prefixBytes)
        let message = pending.readBytes(length: length)
        if pending.readableBytes == 0 { pending = ByteBuffer() } else { pending.discardReadBytes() }
        return message
    }

    /// Reads a message that one piece of DATA holds entirely, which is the usual case, without a copy in between.
    mutating func nextDirect(_ data: inout ByteBuffer) throws(GRPCStatus) -> [UInt8]? {
        guard isEmpty, let length = try Self.messageLength(data, max: messageBytesMax),
            data.readableBytes >= Self.prefixBytes + length
        else { return nil }
        data.moveReaderIndex(forwardBy: Self.prefixBytes)
        return data.readBytes(length: length)
    }

    private static func messageLength(_ buffer: ByteBuffer, max: Int) throws(GRPCStatus) -> Int? {
        guard let flag = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self),
            let length = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self)
        else { return nil }
        guard flag == 0 else {
            throw GRPCStatus(code: .internal, message: "compressed message without an agreed encoding (flag \(flag))")
        }
        guard length <= max else {
            throw GRPCStatus(
                code: .resourceExhausted, message: "message of \(length) bytes exceeds the limit of \(max)")
        }
        return Int(length)
    }
}

/// Puts the prefix in front of a message.
func framed(_ message: [UInt8]) throws(GRPCStatus) -> ByteBuffer {
    guard let length = UInt32(exactly: message.count) else {
        throw GRPCStatus(code: .resourceExhausted, message: "message of \(message.count) bytes cannot be framed")
    }
    var buffer = ByteBufferAllocator().buffer(capacity: MessageReader.prefixBytes + message.count)
    buffer.writeInteger(UInt8(0))
    buffer.writeInteger(length)
    buffer.writeBytes(message)
    return buffer
}
