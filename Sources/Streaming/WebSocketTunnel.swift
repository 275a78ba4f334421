import NIOCore

/// A byte stream inside of WebSocket messages, for SPDY: the messages' bounds mean nothing (tunneling of client-go).
final class WebSocketTunnel: ChannelDuplexHandler {
    typealias InboundIn = WebSocketPiece
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = WebSocketMessage

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let piece = unwrapInboundIn(data)
        if piece.bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(piece.bytes)) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(wrapOutboundOut(WebSocketMessage(body: unwrapOutboundIn(data))), promise: promise)
    }
}
