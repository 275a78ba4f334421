import NIOCore

/// WebSocket of a client on a connection: shakes hands, then takes messages from above and gives pieces of messages up.
///
///     shaking hands --101--> open --close or the connection's end--> closed
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = WebSocketPiece
    typealias OutboundIn = WebSocketMessage
    typealias OutboundOut = ByteBuffer

    private enum Phase { case shaking, open, closed }

    private var phase = Phase.shaking
    private var handshake: WebSocketHandshake
    private var decoder = WebSocketDecoder()
    private let above: (String) -> [any ChannelHandler]
    private let upgraded: EventLoopPromise<String>
    /// The answer to a ping that has not left yet; a newer one takes its place (RFC 6455, 5.5.3).
    private var hasPongInFlight = false

    /// - Parameter above: The handlers that belong to a protocol, which are added when the server has chosen it.
    init(
        _ url: StreamURL, protocols: [String], upgraded: EventLoopPromise<String>,
        above: @escaping (String) -> [any ChannelHandler]
    ) {
        handshake = WebSocketHandshake(url, protocols: protocols)
        self.upgraded = upgraded
        self.above = above
    }

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { sendRequest(context) } }

    func handlerRemoved(context: ChannelHandlerContext) { upgraded.fail(StreamError("the connection was closed")) }

    func channelActive(context: ChannelHandlerContext) {
        sendRequest(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        do throws(StreamError) {
            switch phase {
            case .shaking:
                guard let (chosen, rest) = try handshake.receive(bytes) else { return }
                try open(chosen, context)
                decoder.append(rest)
            case .open: decoder.append(bytes)
            case .closed: return
            }
            while phase == .open, let event = try decoder.next() { receive(event, context) }
        } catch {
            fail(error, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if phase == .shaking {
            do throws(StreamError) { _ = try handshake.receive(ByteBuffer(), isEnd: true) } catch {
                upgraded.fail(error)
            }
        }
        phase = .closed
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(StreamError("the connection", error), context)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let message = unwrapOutboundIn(data)
        guard phase == .open else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        send(WebSocketOpcode.binary, channel: message.channel, message.bytes, context, promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if phase == .open, mode == .all {
            // 1000: all is well (7.4.1).
            send(WebSocketOpcode.close, ByteBuffer(integer: 1000 as UInt16), context, nil)
            context.flush()
        }
        phase = .closed
        context.close(mode: mode, promise: promise)
    }

    // MARK: - Steps

    private func sendRequest(_ context: ChannelHandlerContext) {
        context.writeAndFlush(
            wrapOutboundOut(context.channel.allocator.buffer(string: handshake.request)), promise: nil)
    }

    private func open(_ chosen: String, _ context: ChannelHandlerContext) throws(StreamError) {
        phase = .open
        do {
            // The lowest first: a handler may write as soon as it is there.
            var below: any ChannelHandler = self
            for handler in above(chosen) {
                try context.pipeline.syncOperations.addHandler(handler, position: .after(below))
                below = handler
            }
        } catch {
            throw StreamError("use the connection", error)
        }
        upgraded.succeed(chosen)
    }

    private func receive(_ event: WebSocketDecoder.Event, _ context: ChannelHandlerContext) {
        switch event {
        case .piece(let piece): context.fireChannelRead(wrapInboundOut(piece))
        case .pong: return
        case .ping(let payload):
            guard !hasPongInFlight else { return }
            hasPongInFlight = true
            let sent = context.eventLoop.makePromise(of: Void.self)
            sent.futureResult.assumeIsolated().whenComplete { _ in self.hasPongInFlight = false }
            send(WebSocketOpcode.pong, payload, context, sent)
            context.flush()
        case .close(let code, let reason):
            context.fireUserInboundEventTriggered(WebSocketClose(code: code, reason: reason))
            // A user of the event may have closed already.
            if phase == .open { close(context: context, mode: .all, promise: nil) }
        }
    }

    private func send(
        _ opcode: UInt8, channel: UInt8? = nil, _ payload: ByteBuffer, _ context: ChannelHandlerContext,
        _ promise: EventLoopPromise<Void>?
    ) {
        let frame = WebSocketEncoder.frame(
            opcode, channel: channel, payload, key: .random(in: .min ... .max), context.channel.allocator)
        context.write(wrapOutboundOut(frame), promise: promise)
    }

    private func fail(_ error: StreamError, _ context: ChannelHandlerContext) {
        if phase == .shaking { upgraded.fail(error) } else { context.fireErrorCaught(error) }
        phase = .closed
        context.close(promise: nil)
    }
}

/// A message to send.
struct WebSocketMessage {
    /// The number of a remotecommand channel, which stands before the bytes.
    var channel: UInt8?
    var bytes: ByteBuffer
}

/// The server's last word.
struct WebSocketClose {
    var code: UInt16
    var reason: String
}
