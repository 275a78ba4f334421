import NIOCore
import NIOHPACK
import NIOHTTP2

/// One call on the server: collects the request, runs the method's body, sends the response. One per HTTP/2 stream.
///
///     head --HEADERS--> request --END_STREAM--> running --response, deadline, refusal--> answered --> (stream closes)
///
/// A reset or a lost connection ends the call from every phase and cancels the body's task. `answered` lasts until the
/// client has taken the response, or is reset by the stall sweep.
final class ServerCall: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private enum Phase { case head, request, running, answered }

    private static let pieceBytes = 128 << 10

    private let core: ServerCore
    private let connection: ServerConnection
    private var phase = Phase.head
    private var channelContext: ChannelHandlerContext?

    private var path = ""
    private var metadata = GRPCMetadata([:])
    private var method: GRPCMethod?
    private var request: SingleMessage
    private var isRequestEnded = false
    private var timeout: Duration?
    private var deadlineTimer: Scheduled<Void>?

    private var task: Task<Void, Never>?
    private var areHeadersSent = false
    private var waiters: [CheckedContinuation<GRPCStatus?, Never>] = []
    private var chargedBytes = 0

    private var meter = CallMeter()

    init(core: ServerCore, connection: ServerConnection) {
        self.core = core
        self.connection = connection
        self.request = SingleMessage(messageBytesMax: core.configuration.requestBytesMax)
    }

    // MARK: Stream events

    func handlerAdded(context: ChannelHandlerContext) {
        channelContext = context
        connection.opened(self)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        channelContext = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let block):
            if phase == .head { receiveHead(block.headers) }
            if block.endStream { endRequest() }
        case .data(let payload):
            if phase == .request, case .byteBuffer(var bytes) = payload.data { receive(&bytes) }
            if payload.endStream { endRequest() }
        case .priority, .rstStream, .settings, .pushPromise, .ping, .goAway, .windowUpdate, .alternativeService,
            .origin:
            break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Calls answered within one read, which is most of them, never pay for a timer.
        guard phase == .request || phase == .running, deadlineTimer == nil, let timeout else { return }
        deadlineTimer = core.loop.assumeIsolated().scheduleTask(deadline: meter.startedAt + timeout.timeAmount) {
            self.expire()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        noteProgress()
        clientCaughtUp()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset by the client; channelInactive follows and ends the call.
    }

    func channelInactive(context: ChannelHandlerContext) {
        if phase != .answered { end(.clientEndedCall) }
        core.release(chargedBytes)
        chargedBytes = 0
        connection.ended(self)
        context.fireChannelInactive()
    }

    // MARK: Request

    private func receiveHead(_ headers: HPACKHeaders) {
        let head = RequestHead(headers)
        meter.start()
        path = head.path
        metadata = GRPCMetadata(headers)
        timeout = head.timeout
        phase = .request
        if let refusal = head.refusal { return answer(refusal.status, httpStatus: refusal.httpStatus) }
        do throws(GRPCStatus) {
            method = try core.method(at: path)
        } catch {
            return answer(error)
        }
        if let refusal = core.configuration.gate?(path) { return answer(refusal) }
        if head.timeout == .zero { expire() }
    }

    private func receive(_ data: inout ByteBuffer) {
        meter.noteProgress()
        meter.requestBytes += data.readableBytes
        guard charge(data.readableBytes) else { return answer(.tooManyBytes) }
        do throws(GRPCStatus) {
            try request.append(&data)
        } catch {
            answer(error)
        }
    }

    private func endRequest() {
        isRequestEnded = true
        guard phase == .request, let method else { return }
        do throws(GRPCStatus) {
            let message = try request.finish()
            phase = .running
            run(method.body, request: message)
        } catch {
            answer(error)
        }
    }

    // MARK: Body

    private func run(_ body: GRPCMethod.Body, request: [UInt8]) {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        let context = CallContext(path: path, metadata: metadata, deadline: deadline, peer: connection.peer)
        if case .inline(let body) = body {
            do throws(GRPCStatus) {
                answer(with: try body(request, context))
            } catch {
                answer(error)
            }
            return
        }
        guard core.beginBody() else { return answer(.tooManyBodies) }
        let loop = core.loop
        let call = NIOLoopBound(self, eventLoop: loop)
        task = Task(executorPreference: core.configuration.bodyExecutor) {
            let result = await body.run(request, context, ResponseSink(call: call, loop: loop))
            loop.execute { call.value.bodyEnded(result) }
        }
    }

    private func bodyEnded(_ result: Result<ByteBuffer?, GRPCStatus>) {
        task = nil
        core.endBody()
        switch result {
        case .success(.some(let message)): answer(with: message)
        case .success(.none): answer(.ok)
        case .failure(let status): answer(status)
        }
    }

    private func expire() {
        answer(.deadlinePassed)
    }

    /// Resets the stream if the client has let the call wait since before `limit`.
    func endIfStalled(before limit: NIODeadline) {
        guard phase != .running || !waiters.isEmpty, meter.progressedAt < limit else { return }
        channelContext?.close(promise: nil)
    }

    // MARK: Response

    /// Sends one message of a server stream, or only the headers; the waiter continues when the client keeps up.
    func send(_ message: ByteBuffer?, waiter: CheckedContinuation<GRPCStatus?, Never>) {
        guard phase == .running, let channelContext else {
            return waiter.resume(returning: .callHasEnded)
        }
        if let failure = message.flatMap(admit) { return waiter.resume(returning: failure) }
        sendHeaders(channelContext)
        if let message { sendData(message, channelContext) }
        channelContext.flush()
        noteProgress()
        guard phase == .running else { return waiter.resume(returning: .callHasEnded) }
        waiters.append(waiter)
        if channelContext.channel.isWritable { clientCaughtUp() }
    }

    private func answer(with message: ByteBuffer) {
        guard phase == .running, let channelContext else { return }
        if let failure = admit(message) { return answer(failure) }
        sendHeaders(channelContext)
        sendData(message, channelContext)
        answer(.ok)
    }

    /// Ends the call with a status: trailers, or a single header block if nothing was sent before.
    private func answer(_ status: GRPCStatus, httpStatus: String = "200") {
        guard phase != .answered, let channelContext else { return }
        let headers =
            areHeadersSent ? ResponseHead.trailers(status) : ResponseHead.trailersOnly(status, httpStatus: httpStatus)
        let payload = HTTP2Frame.FramePayload.headers(.init(headers: headers, endStream: true))
        // First the book-keeping: writing the last frame can close the stream before the write returns.
        noteProgress()
        end(status)
        if isRequestEnded {
            channelContext.writeAndFlush(wrapOutboundOut(payload), promise: nil)
        } else {
            // The answer came before the end of the request: tell the client to stop sending (RFC 9113, 8.1).
            let sent = core.loop.makePromise(of: Void.self)
            sent.futureResult.assumeIsolated().whenSuccess { self.stopRequest() }
            channelContext.writeAndFlush(wrapOutboundOut(payload), promise: sent)
        }
    }

    private func stopRequest() {
        guard !isRequestEnded, let channelContext else { return }
        channelContext.writeAndFlush(wrapOutboundOut(.rstStream(.noError)), promise: nil)
    }

    private func sendHeaders(_ context: ChannelHandlerContext) {
        guard !areHeadersSent else { return }
        areHeadersSent = true
        write(.headers(.init(headers: ResponseHead.ok)), context)
    }

    /// Writes a message; a large one in pieces, each of which counts as progress when the client has taken it.
    private func sendData(_ message: ByteBuffer, _ context: ChannelHandlerContext) {
        var rest = message
        while rest.readableBytes > Self.pieceBytes, let piece = rest.readSlice(length: Self.pieceBytes) {
            let taken = core.loop.makePromise(of: Void.self)
            taken.futureResult.assumeIsolated().whenSuccess { self.noteProgress() }
            write(.data(.init(data: .byteBuffer(piece))), context, promise: taken)
        }
        write(.data(.init(data: .byteBuffer(rest))), context)
    }

    private func write(
        _ payload: HTTP2Frame.FramePayload, _ context: ChannelHandlerContext, promise: EventLoopPromise<Void>? = nil
    ) {
        context.write(wrapOutboundOut(payload), promise: promise)
    }

    /// Checks a response message against the limits and counts it.
    private func admit(_ message: ByteBuffer) -> GRPCStatus? {
        let bytes = message.readableBytes - MessageReader.prefixBytes
        let max = core.configuration.responseBytesMax
        guard bytes <= max else {
            return GRPCStatus(
                code: .resourceExhausted, message: "response of \(bytes) bytes exceeds the limit of \(max)")
        }
        guard charge(message.readableBytes) else { return .tooManyBytes }
        meter.responseBytes += message.readableBytes
        return nil
    }

    // MARK: Book-keeping

    private func charge(_ bytes: Int) -> Bool {
        guard core.charge(bytes) else { return false }
        chargedBytes += bytes
        return true
    }

    private func noteProgress() {
        meter.noteProgress()
        connection.noteProgress()
    }

    /// What a stream wrote before has been taken: it no longer counts, and the writer may go on.
    private func clientCaughtUp() {
        guard phase == .running, !waiters.isEmpty else { return }
        core.release(chargedBytes)
        chargedBytes = 0
        resumeWaiters(with: nil)
    }

    private func resumeWaiters(with failure: GRPCStatus?) {
        let resumed = waiters
        waiters = []
        for waiter in resumed { waiter.resume(returning: failure) }
    }

    private func end(_ status: GRPCStatus) {
        let hadHead = phase != .head
        phase = .answered
        deadlineTimer?.cancel()
        deadlineTimer = nil
        task?.cancel()
        request.clear()
        resumeWaiters(with: .callHasEnded)
        guard hadHead, let onCallEnd = core.configuration.onCallEnd else { return }
        onCallEnd(meter.report(path, status, peer: connection.peer))
    }
}
