import NIOCore

/// remotecommand over WebSocket: each message begins with the number of its channel.
final class WebSocketWire: ChannelDuplexHandler, RemoteWire {
    typealias InboundIn = WebSocketPiece
    typealias OutboundIn = Never
    typealias OutboundOut = WebSocketMessage

    /// Numbers of channels in v4.channel.k8s.io and v5.channel.k8s.io.
    private enum Channel {
        static let stdin: UInt8 = 0
        static let stdout: UInt8 = 1
        static let stderr: UInt8 = 2
        static let status: UInt8 = 3
        static let resize: UInt8 = 4
        /// v5 only: its payload is the number of a channel that ends.
        static let close: UInt8 = 255
    }

    private static let v5 = "v5.channel.k8s.io"

    private let inbox: Inbox
    private var version = ""
    private var context: ChannelHandlerContext?
    private var status = RemoteStatus()
    private var closing: WebSocketClose?
    /// The channel of the message that is arriving; nil before its first byte.
    private var current: UInt8?
    private var bufferedCost = 0
    private var isReadHeld = false

    init(inbox: Inbox) { self.inbox = inbox }

    // MARK: - RemoteWire

    func handlers(_ url: StreamURL, upgraded: EventLoopPromise<String>) -> [any ChannelHandler] {
        let handler = WebSocketHandler(url, protocols: [Self.v5, "v4.channel.k8s.io"], upgraded: upgraded) { chosen in
            self.version = chosen
            return [self]
        }
        return [handler]
    }

    func send(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>) { write(Channel.stdin, bytes, promise) }

    func endInput() -> Bool {
        guard version == Self.v5 else { return false }
        write(Channel.close, ByteBuffer(integer: Channel.stdin), nil)
        return true
    }

    func resize(_ json: ByteBuffer) { write(Channel.resize, json, nil) }

    func consumed(_ item: Inbox.Item) {
        bufferedCost -= item.cost
        guard isReadHeld, bufferedCost < Inbox.bytesMax else { return }
        isReadHeld = false
        context?.read()
    }

    /// `WebSocketHandler` does, when the channel is closed.
    func sayGoodbye() {}

    private func write(_ channel: UInt8, _ bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.writeAndFlush(wrapOutboundOut(WebSocketMessage(channel: channel, bytes: bytes)), promise: promise)
    }

    // MARK: - Channel events

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let piece = unwrapInboundIn(data)
        var bytes = piece.bytes
        if piece.isFirst { current = nil }
        if current == nil { current = bytes.readInteger() }
        guard bytes.readableBytes > 0 else { return }
        switch current {
        case Channel.stdout: push(Inbox.Item(isError: false, bytes: bytes))
        case Channel.stderr: push(Inbox.Item(isError: true, bytes: bytes))
        case Channel.status:
            guard !status.append(bytes) else { return }
            inbox.finish(.failure(StreamError("the server's status of the command has no end")))
            context.close(promise: nil)
        // A server says that its side of a channel has ended, or says things that nobody asked for.
        default: return
        }
    }

    func read(context: ChannelHandlerContext) {
        if bufferedCost >= Inbox.bytesMax { isReadHeld = true } else { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? WebSocketClose { closing = event }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        inbox.finish(.failure(StreamError("the connection to the runtime", error)))
        context.close(promise: nil)
    }

    private func push(_ item: Inbox.Item) {
        bufferedCost += item.cost
        inbox.push(item)
    }

    private func end() {
        if let outcome = status.outcome { return inbox.finish(outcome) }
        let reason = closing.map { $0.reason.isEmpty ? "code \($0.code)" : $0.reason }
        inbox.finish(
            .failure(
                StreamError(
                    "the runtime closed the connection before the command's end" + (reason.map { ": \($0)" } ?? ""))))
    }
}
