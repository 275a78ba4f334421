import NIOCore

/// One channel of a WebSocket. Its ends are not told to the client, who learns of them when the socket is closed.
final class WebSocketChannel: ClientStream {
    let number: UInt8
    var receiver: (any ClientStreamReceiver)?
    /// The socket's handler, which holds this object.
    private weak var channels: WebSocketChannels?
    private var unconsumedBytes = 0
    private var haveWeEnded = false
    private var hasClientEnded = false

    init(number: UInt8, _ channels: WebSocketChannels) {
        self.number = number
        self.channels = channels
    }

    var hasHalves: Bool { false }
    var isWritable: Bool { !haveWeEnded && (channels?.isWritable ?? false) }
    var isGone: Bool { channels?.isOver ?? true }

    func write(_ bytes: ByteBuffer) {
        guard !haveWeEnded else { return }
        channels?.send(bytes, on: number)
    }

    func finish() { haveWeEnded = true }

    func reset() {
        haveWeEnded = true
        receiver = nil
        consumed(unconsumedBytes)
    }

    func consumed(_ count: Int) {
        let count = min(count, unconsumedBytes)
        unconsumedBytes -= count
        channels?.release(count)
    }

    // MARK: For the socket

    func receive(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0, !hasClientEnded, let receiver else { return }
        unconsumedBytes += bytes.readableBytes
        channels?.charge(bytes.readableBytes)
        receiver.received(bytes)
    }

    /// The client has closed this channel alone.
    func endByClient() {
        guard !hasClientEnded else { return }
        hasClientEnded = true
        receiver?.ended()
    }

    func endByConnection() {
        let receiver = receiver
        self.receiver = nil
        receiver?.gone()
    }
}
