import NIOCore

/// A message to a client: in one frame, which needs no mask.
struct WebSocketMessage {
    var isText = false
    /// Goes before the body: the number of a channel.
    var prefix: UInt8?
    var body: ByteBuffer
}

/// WebSocket on a connection (RFC 6455, the server's side): frames, pings, and the closing handshake.
///
/// `close` sends a Close frame and discards what still comes, until the client closes too or two seconds are over.
final class WebSocketFraming: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = WebSocketPiece
    typealias OutboundIn = WebSocketMessage
    typealias OutboundOut = ByteBuffer

    /// Of a remote command's messages only the first byte is ever kept, so this bounds nothing but nonsense.
    static let messageBytesMax = 32 << 20
    /// Pongs that wait for a client which does not read.
    private static let queuedPongsMax = 1000
    private static let lingerTime = TimeAmount.seconds(2)

    private enum Phase { case open, closing, closed }

    private var decoder = WebSocketDecoder(messageBytesMax: WebSocketFraming.messageBytesMax)
    private var phase = Phase.open
    private var queuedPongs = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        decoder.append(unwrapInboundIn(data))
        do throws(WebSocketDecoder.Breach) {
            while phase != .closed, let event = try decoder.next() { receive(event, context) }
        } catch {
            // Nothing that follows can be understood.
            if phase == .open { beginClosing(context, code: error.code, lingers: true) }
            phase = .closed
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard phase == .open else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let message = unwrapOutboundIn(data)
        let length = message.body.readableBytes + (message.prefix == nil ? 0 : 1)
        var head = frameHead(opcode: message.isText ? 1 : 2, length)
        if let prefix = message.prefix { head.writeInteger(prefix) }
        context.write(wrapOutboundOut(head), promise: nil)
        context.write(wrapOutboundOut(message.body), promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all, phase == .open, context.channel.isActive else {
            return context.close(mode: mode, promise: promise)
        }
        if let promise { context.channel.closeFuture.cascade(to: promise) }
        beginClosing(context, code: 1000, lingers: false)
    }

    private func receive(_ event: WebSocketDecoder.Event, _ context: ChannelHandlerContext) {
        switch event {
        case .piece(let piece):
            if phase == .open { context.fireChannelRead(wrapInboundOut(piece)) }
        case .ping(let payload): if phase == .open { pong(payload, context) }
        case .pong: break
        case .close(let code):
            let isAnswer = phase == .closing
            phase = .closed
            if isAnswer { return context.close(promise: nil) }
            let sent = context.eventLoop.makePromise(of: Void.self)
            sent.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            context.writeAndFlush(wrapOutboundOut(closeFrame(code ?? 1000)), promise: sent)
        }
    }

    private func pong(_ payload: ByteBuffer, _ context: ChannelHandlerContext) {
        queuedPongs += 1
        guard queuedPongs <= Self.queuedPongsMax else {
            phase = .closed
            return context.close(promise: nil)
        }
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in self.queuedPongs -= 1 }
        var frame = frameHead(opcode: 10, payload.readableBytes)
        frame.writeImmutableBuffer(payload)
        context.writeAndFlush(wrapOutboundOut(frame), promise: sent)
    }

    /// `lingers`: without waiting until what was written before has left, for a client that has no claim to it.
    private func beginClosing(_ context: ChannelHandlerContext, code: UInt16, lingers: Bool) {
        phase = .closing
        let sent = context.eventLoop.makePromise(of: Void.self)
        let loop = context.eventLoop.assumeIsolated()
        if lingers {
            loop.scheduleTask(in: Self.lingerTime) { context.close(promise: nil) }
        } else {
            sent.futureResult.assumeIsolated().whenComplete { _ in
                loop.scheduleTask(in: Self.lingerTime) { context.close(promise: nil) }
            }
        }
        context.writeAndFlush(wrapOutboundOut(closeFrame(code)), promise: sent)
        // Whoever held back reading does so no longer.
        context.read()
    }

    private func closeFrame(_ code: UInt16) -> ByteBuffer {
        var frame = frameHead(opcode: 8, 2)
        frame.writeInteger(code)
        return frame
    }

    private func frameHead(opcode: UInt8, _ length: Int) -> ByteBuffer {
        // Room for a channel's number.
        var head = ByteBuffer()
        head.reserveCapacity(11)
        head.writeInteger(0x80 | opcode)
        if length < 126 {
            head.writeInteger(UInt8(length))
        } else if let short = UInt16(exactly: length) {
            head.writeInteger(126 as UInt8)
            head.writeInteger(short)
        } else {
            head.writeInteger(127 as UInt8)
            head.writeInteger(UInt64(length))
        }
        return head
    }
}
