import NIOCore
import NIOHTTP1

/// Answers the requests of one connection, in their order.
final class InspectHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// A GET has no use for a body; what a client sends all the same is read and dropped up to here.
    private static let bodyBytesMax = 64 << 10

    private let answer: InspectServer.Answer
    private var head: HTTPRequestHead?
    private var bodyBytes = 0

    init(answer: @escaping InspectServer.Answer) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            bodyBytes = 0
        case .body(let bytes):
            bodyBytes += bytes.readableBytes
            if bodyBytes > Self.bodyBytesMax { context.close(promise: nil) }
        case .end:
            guard let head else { return }
            self.head = nil
            respond(to: head, context)
        }
    }

    private func respond(to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard head.method == .GET || head.method == .HEAD else {
            return send(.methodNotAllowed, Array("only GET is answered\n".utf8), "text/plain", head, context)
        }
        // Whatever follows a question mark changes nothing.
        let path = head.uri.prefix { $0 != "?" }
        guard let found = answer(String(path)) else {
            return send(.notFound, Array("not found\n".utf8), "text/plain", head, context)
        }
        send(found.status, found.body, found.type, head, context)
    }

    private func send(
        _ status: HTTPResponseStatus, _ body: [UInt8], _ type: String, _ head: HTTPRequestHead,
        _ context: ChannelHandlerContext
    ) {
        var response = HTTPResponseHead(version: head.version, status: status)
        response.headers.add(name: "content-type", value: type)
        response.headers.add(name: "content-length", value: String(body.count))
        if status == .methodNotAllowed { response.headers.add(name: "allow", value: "GET, HEAD") }
        if !head.isKeepAlive { response.headers.add(name: "connection", value: "close") }
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if head.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        }
        let sent = context.eventLoop.makePromise(of: Void.self)
        let channel = context.channel
        if !head.isKeepAlive { sent.futureResult.whenComplete { _ in channel.close(promise: nil) } }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
