import NIOCore

/// Bytes of another protocol in binary messages whose borders mean nothing.
final class WebSocketTunnel: ChannelDuplexHandler {
    typealias InboundIn = WebSocketPiece
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = WebSocketMessage

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data).bytes
        if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(wrapOutboundOut(WebSocketMessage(bytes: unwrapOutboundIn(data))), promise: promise)
    }
}
