import NIOCore

/// One byte stream of a client: a stream of SPDY or a channel of a WebSocket. On the event loop.
protocol ClientStream: AnyObject {
    /// What hears of the client's bytes. Until it is set, nobody does, so it is set when the stream is made.
    var receiver: (any ClientStreamReceiver)? { get set }
    /// Whether the client keeps up.
    var isWritable: Bool { get }
    /// Whether the client learns of `finish`, and can go on to send.
    var hasHalves: Bool { get }
    /// Whether nothing can be sent any more.
    var isGone: Bool { get }
    func write(_ bytes: ByteBuffer)
    /// No more bytes follow.
    func finish()
    /// Ends both directions.
    func reset()
    /// This many received bytes have been passed on.
    func consumed(_ count: Int)
}

protocol ClientStreamReceiver: AnyObject {
    /// Bytes that count against the client until `ClientStream.consumed`.
    func received(_ bytes: ByteBuffer)
    /// The client sends no more.
    func ended()
    /// The client has reset the stream, or is gone; the last call.
    func gone()
    /// The client keeps up again.
    func becameWritable()
}

extension ClientStreamReceiver {
    func becameWritable() {}
}

/// The connection that streams belong to.
protocol ClientConnection: AnyObject {
    /// Ends it when all that was written has left.
    func close()
}

/// Takes a client's bytes and does nothing with them.
final class Discarder: ClientStreamReceiver {
    private let stream: any ClientStream
    init(_ stream: any ClientStream) { self.stream = stream }
    func received(_ bytes: ByteBuffer) { stream.consumed(bytes.readableBytes) }
    func ended() {}
    func gone() {}
}
