import NIOCore

/// The one message that a request consists of, put together from pieces of DATA.
struct SingleMessage {
    private var reader: MessageReader
    private var message: [UInt8]?

    init(messageBytesMax: Int) {
        reader = MessageReader(messageBytesMax: messageBytesMax)
    }

    /// Takes the next piece; a second message is refused (statuscodes.md, request cardinality violation).
    mutating func append(_ data: inout ByteBuffer) throws(GRPCStatus) {
        if message == nil { message = try reader.nextDirect(&data) }
        guard data.readableBytes > 0 else { return }
        reader.append(&data)
        while let next = try reader.next() {
            guard message == nil else {
                throw GRPCStatus(code: .unimplemented, message: "more than one request message")
            }
            message = next
        }
    }

    /// Hands out the message when no more data can come.
    mutating func finish() throws(GRPCStatus) -> [UInt8] {
        guard reader.isEmpty else { throw GRPCStatus(code: .internal, message: "truncated request message") }
        guard let message = message.take() else {
            throw GRPCStatus(code: .unimplemented, message: "no request message")
        }
        return message
    }

    /// Forgets what has been collected.
    mutating func clear() {
        self = SingleMessage(messageBytesMax: reader.messageBytesMax)
    }
}
