import NIOCore

/// The channels of a WebSocket: the first byte of each message is a channel's number, or with base64 its digit (wsstream of
/// Kubernetes). From v5 on the number 255 and another one close a channel.
final class WebSocketChannels: ChannelDuplexHandler, ClientConnection {
    typealias InboundIn = WebSocketPiece
    typealias OutboundIn = WebSocketMessage
    typealias OutboundOut = WebSocketMessage

    struct Coding {
        var isBase64 = false
        var hasClose = false
    }

    private enum Target {
        case unknown
        case channel(WebSocketChannel)
        case closing
        /// The number of the channel to close has come.
        case closed
        case nobody
    }

    private static let closeNumber: UInt8 = 255
    /// Bytes not passed on yet, of all channels, at which the socket is no longer read.
    private static let bufferedBytesMax = 1 << 20

    private let coding: Coding
    private let onStart: (WebSocketChannels) -> Void
    private let onEnd: () -> Void
    private(set) var channels: [WebSocketChannel] = []
    private var context: ChannelHandlerContext?
    private var target = Target.unknown
    private var decoder = Base64.Decoder()
    private var bufferedBytes = 0
    private var isReadHeld = false

    /// - Parameters:
    ///   - onStart: Called when messages can be sent.
    ///   - onEnd: Called once when the client is gone, after each channel has told its receiver.
    init(
        count: Int, _ coding: Coding, onStart: @escaping (WebSocketChannels) -> Void, onEnd: @escaping () -> Void
    ) {
        self.coding = coding
        self.onStart = onStart
        self.onEnd = onEnd
        channels = (0..<count).map { WebSocketChannel(number: UInt8(clamping: $0), self) }
    }

    func close() { context?.close(promise: nil) }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        onStart(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        for channel in channels { channel.receiver?.becameWritable() }
    }

    func read(context: ChannelHandlerContext) {
        if bufferedBytes >= Self.bufferedBytesMax { isReadHeld = true } else { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let piece = unwrapInboundIn(data)
        var bytes = piece.bytes
        if piece.isStart { (target, decoder) = (.unknown, Base64.Decoder()) }
        if case .unknown = target, let number = bytes.readInteger(as: UInt8.self) { target = find(number) }
        switch target {
        case .channel(let channel): deliver(bytes, to: channel, isEnd: piece.isEnd)
        case .closing:
            guard let number = bytes.readInteger(as: UInt8.self) else { break }
            if Int(number) < channels.count { channels[Int(number)].endByClient() }
            target = .closed
        case .unknown, .closed, .nobody: break
        }
    }

    private func find(_ first: UInt8) -> Target {
        if coding.hasClose, first == Self.closeNumber { return .closing }
        let number = coding.isBase64 ? Int(first) - Int(UInt8(ascii: "0")) : Int(first)
        return channels.indices.contains(number) ? .channel(channels[number]) : .nobody
    }

    private func deliver(_ bytes: ByteBuffer, to channel: WebSocketChannel, isEnd: Bool) {
        guard coding.isBase64 else { return channel.receive(bytes) }
        guard let decoded = decoder.decode(bytes) else { return close() }
        channel.receive(decoded)
        guard isEnd else { return }
        guard let last = decoder.finish() else { return close() }
        channel.receive(last)
    }

    private func end() {
        guard context != nil else { return }
        context = nil
        for channel in channels { channel.endByConnection() }
        onEnd()
    }

    // MARK: Channels

    var isWritable: Bool { context?.channel.isWritable ?? false }
    var isOver: Bool { context == nil }

    func send(_ bytes: ByteBuffer, on number: UInt8) {
        guard let context else { return }
        let message =
            coding.isBase64
            ? WebSocketMessage(isText: true, prefix: UInt8(ascii: "0") + number, body: Base64.encode(bytes))
            : WebSocketMessage(prefix: number, body: bytes)
        context.writeAndFlush(wrapOutboundOut(message), promise: nil)
    }

    func charge(_ count: Int) { bufferedBytes += count }

    func release(_ count: Int) {
        bufferedBytes -= count
        guard isReadHeld, bufferedBytes < Self.bufferedBytesMax else { return }
        isReadHeld = false
        context?.read()
    }
}
