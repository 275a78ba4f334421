import NIOCore
import NIOHPACK
import NIOHTTP2

/// What a call sends.
struct ClientRequest: Sendable {
    let headers: HPACKHeaders
    let message: ByteBuffer
    let timeout: Duration?
    let responseBytesMax: Int
}

/// Where a call's response goes.
enum ClientReceiver: Sendable {
    case unary(CheckedContinuation<Result<[UInt8], GRPCStatus>, Never>)
    case stream(ResponseInboxReference)

    /// Ends a call that never got a stream.
    func fail(_ status: GRPCStatus) {
        switch self {
        case .unary(let waiter): waiter.resume(returning: .failure(status))
        case .stream(let reference): reference.inbox?.finish(status)
        }
    }
}

/// The call's end of an inbox: weak, because the call must end when nobody reads it any more.
struct ResponseInboxReference: Sendable {
    weak let inbox: ResponseInbox?
}

/// One call on the client: sends the request and collects the response. One per HTTP/2 stream.
final class ClientCall: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let request: ClientRequest
    private let receiver: ClientReceiver
    private let handle: ClientCallHandle
    private let connection: ClientConnection
    private var channelContext: ChannelHandlerContext?
    private var deadlineTimer: Scheduled<Void>?
    private var reader: MessageReader
    private var hasHead = false
    private var response: [UInt8]?
    private var failure: GRPCStatus?
    private var isComplete = false

    init(_ request: ClientRequest, receiver: ClientReceiver, handle: ClientCallHandle, connection: ClientConnection) {
        self.request = request
        self.receiver = receiver
        self.handle = handle
        self.connection = connection
        self.reader = MessageReader(messageBytesMax: request.responseBytesMax)
    }

    // MARK: Stream events

    func handlerAdded(context: ChannelHandlerContext) {
        channelContext = context
        connection.callOpened()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        channelContext = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.headers(.init(headers: request.headers))), promise: nil)
        let body = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(request.message), endStream: true))
        context.writeAndFlush(wrapOutboundOut(body), promise: nil)
        if let timeout = request.timeout {
            deadlineTimer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout.timeAmount) {
                self.abandon(GRPCStatus(code: .deadlineExceeded, message: "the deadline has passed"))
            }
        }
        handle.attach(context.channel)
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let block): receive(block.headers, isLast: block.endStream)
        case .data(let payload):
            if case .byteBuffer(var bytes) = payload.data { receive(&bytes) }
            if payload.endStream { complete(GRPCStatus(code: .internal, message: "the server ended without a status")) }
        case .priority, .rstStream, .settings, .pushPromise, .ping, .goAway, .windowUpdate, .alternativeService,
            .origin:
            break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Unary calls read by themselves: their response is bounded.
        if case .stream(let reference) = receiver, reference.inbox?.wantsMore() ?? false { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if failure == nil, let reset = error as? NIOHTTP2Errors.StreamClosed {
            failure = ResponseHeadReader.status(ofReset: reset.errorCode)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        defer { handle.detach() }
        if handle.isCancelled {
            complete(GRPCStatus(code: .cancelled, message: "the call was cancelled"))
        } else {
            complete(
                failure ?? connection.refusal ?? GRPCStatus(code: .unavailable, message: "the connection was closed"))
        }
        connection.callEnded()
        context.fireChannelInactive()
    }

    // MARK: Response

    private func receive(_ headers: HPACKHeaders, isLast: Bool) {
        if isLast { return complete(ResponseHeadReader.status(of: headers)) }
        guard !hasHead else { return }
        // Interim responses (1xx) come before the real head (RFC 9113, 8.1).
        if let status = headers.first(name: ":status"), status.hasPrefix("1") { return }
        hasHead = true
        if let failure = ResponseHeadReader.failure(of: headers) { abandon(failure) }
    }

    private func receive(_ data: inout ByteBuffer) {
        guard !isComplete else { return }
        do throws(GRPCStatus) {
            if let message = try reader.nextDirect(&data) { try deliver(message) }
            guard data.readableBytes > 0 else { return }
            reader.append(&data)
            while let message = try reader.next() { try deliver(message) }
        } catch {
            abandon(error)
        }
    }

    private func deliver(_ message: [UInt8]) throws(GRPCStatus) {
        switch receiver {
        case .unary:
            guard response == nil else {
                throw GRPCStatus(code: .unimplemented, message: "the server sent more than one response")
            }
            response = message
        case .stream(let reference): reference.inbox?.push(message)
        }
    }

    /// Ends a call that the server has not ended.
    private func abandon(_ status: GRPCStatus) {
        complete(status)
        channelContext?.close(promise: nil)
    }

    private func complete(_ status: GRPCStatus) {
        guard !isComplete else { return }
        isComplete = true
        deadlineTimer?.cancel()
        switch receiver {
        case .unary(let waiter):
            if status.code != .ok {
                waiter.resume(returning: .failure(status))
            } else if let response {
                waiter.resume(returning: .success(response))
            } else {
                let status = GRPCStatus(code: .unimplemented, message: "the server sent no response message")
                waiter.resume(returning: .failure(status))
            }
        case .stream(let reference):
            let isCut = status.code == .ok && !reader.isEmpty
            let truncated = GRPCStatus(code: .internal, message: "truncated response message")
            reference.inbox?.finish(isCut ? truncated : status)
        }
    }
}
