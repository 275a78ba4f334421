import NIOCore

/// The first handler of a connection: reads one request, and gives way to what the client asks for.
final class RequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let core: StreamingCore
    private var input = ByteBuffer()
    /// Where the search for the end of the head goes on, so that a byte is not looked at again and again.
    private var searched = 0
    private var timer: Scheduled<Void>?
    private var isDone = false
    private var isRefused = false

    init(_ core: StreamingCore) { self.core = core }

    func handlerAdded(context: ChannelHandlerContext) {
        let time = TimeAmount.nanoseconds(core.configuration.requestTimeout.nanoseconds)
        timer = core.loop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        input.writeImmutableBuffer(unwrapInboundIn(data))
        guard !isDone else { return }
        guard let end = endOfHead() else {
            if input.readableBytes > RequestHead.bytesMax {
                refuse(context, .init(status: 431, reason: "request head is too long"))
            }
            return
        }
        isDone = true
        let text = String(decoding: input.readableBytesView[..<end], as: UTF8.self)
        input.moveReaderIndex(to: end + 4)
        do throws(RequestHead.Refusal) {
            try accept(context, try RequestHead(text))
        } catch {
            refuse(context, error)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: Answers

    private func accept(_ context: ChannelHandlerContext, _ head: RequestHead) throws(RequestHead.Refusal) {
        guard let request = core.requests.redeem(head.path) else {
            throw RequestHead.Refusal(status: 404, reason: "no such stream, or used before, or expired")
        }
        core.hasToken(context.channel)
        guard head.lists("upgrade", in: "connection") else {
            throw RequestHead.Refusal(status: 400, reason: "unable to upgrade: missing upgrade headers")
        }
        if head.lists("websocket", in: "upgrade") {
            let choice = try UpgradeChoice.webSocket(request, head, core)
            WebSocketHandshake.answer(head, context.channel).assumeIsolated().whenComplete { result in
                switch result {
                case .success(let fields): self.upgrade(context, fields + choice.headers, choice.handlers)
                case .failure: self.refuse(context, .init(status: 400, reason: "malformed WebSocket handshake"))
                }
            }
        } else if head.lists("SPDY/3.1", in: "upgrade") {
            let choice = try UpgradeChoice.spdy(request, head, core)
            upgrade(context, choice.headers, choice.handlers)
        } else {
            throw RequestHead.Refusal(status: 400, reason: "unable to upgrade: neither SPDY/3.1 nor WebSocket")
        }
    }

    /// Answers 101, and puts the handlers in this one's place.
    private func upgrade(
        _ context: ChannelHandlerContext, _ headers: [(String, String)], _ handlers: [any ChannelHandler]
    ) {
        write(context, 101, [("Connection", "Upgrade")] + headers, body: "")
        do {
            // One after the other: a handler may write as soon as it is added, through those before it.
            try context.pipeline.syncOperations.addHandlers(handlers, position: .last)
        } catch {
            return context.close(promise: nil)
        }
        // A client may send its first frames without waiting for the answer.
        if input.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(input)) }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private func refuse(_ context: ChannelHandlerContext, _ refusal: RequestHead.Refusal) {
        isDone = true
        isRefused = true
        let body = refusal.reason + "\n"
        let headers = [
            ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "\(body.utf8.count)"),
            ("X-Content-Type-Options", "nosniff"), ("Connection", "close"),
        ]
        write(context, refusal.status, headers + refusal.headers, body: body)
        // What the client may still send is read, so that it is not reset before it has read the answer.
        context.channel.close(mode: .output, promise: nil)
    }

    private func write(_ context: ChannelHandlerContext, _ status: Int, _ headers: [(String, String)], body: String) {
        let lines = headers.map { "\($0.0): \($0.1)\r\n" }.joined()
        let text = "HTTP/1.1 \(status) \(Self.phrases[status] ?? "Error")\r\n\(lines)\r\n\(body)"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }

    private static let phrases = [
        101: "Switching Protocols", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        431: "Request Header Fields Too Large", 500: "Internal Server Error", 505: "HTTP Version Not Supported",
    ]

    /// Where the empty line begins, with the end of the line before it.
    private func endOfHead() -> Int? {
        let bytes = input.readableBytesView
        guard bytes.endIndex - 4 >= searched else { return nil }
        let found = (searched...(bytes.endIndex - 4)).first {
            bytes[$0] == 13 && bytes[$0 + 1] == 10 && bytes[$0 + 2] == 13 && bytes[$0 + 3] == 10
        }
        searched = bytes.endIndex - 3
        return found
    }
}
