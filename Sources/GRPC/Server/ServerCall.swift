import NIOCore
import NIOHPACK
import NIOHTTP2

/// One call on the server: collects the request, runs the method's body, sends the response. One per HTTP/2 stream.
///
///     HEADERS --> request --END_STREAM--> running --response, deadline, refusal--> answered --> (stream closes)
///
/// A reset or a lost connection ends the call from every phase and cancels the body's task. `answered` lasts until the
/// client has taken the response, or is reset by the stall sweep.
final class ServerCall {
    private enum Phase { case request, running, answered }

    private let stream: HTTP2StreamID
    private let core: ServerCore
    private let connection: ServerConnection
    private var phase = Phase.request
    /// False once the stream is closed, or is about to be by a reset that we sent.
    private var isStreamOpen = true

    private let head: RequestHead
    private let metadata: GRPCMetadata
    private var method: GRPCMethod?
    private var request: SingleMessage
    private var isRequestEnded = false

    private var task: Task<Void, Never>?
    private var areHeadersSent = false
    private var backlog = SendBacklog()
    private var waiters: [CheckedContinuation<GRPCStatus?, Never>] = []
    private var chargedBytes = 0

    private var meter = CallMeter()

    init(_ stream: HTTP2StreamID, _ headers: HPACKHeaders, core: ServerCore, connection: ServerConnection) {
        self.stream = stream
        self.core = core
        self.connection = connection
        head = RequestHead(headers)
        metadata = GRPCMetadata(headers)
        request = SingleMessage(messageBytesMax: core.configuration.requestBytesMax)
    }

    // MARK: Stream events

    /// Takes DATA of the request.
    func receive(_ payload: HTTP2Frame.FramePayload.Data) {
        if phase == .request, case .byteBuffer(var bytes) = payload.data { receive(&bytes) }
        if payload.endStream { endRequest() }
    }

    /// True until the client has sent the whole request; its window is kept open for so long.
    var isReceiving: Bool { !isRequestEnded }

    /// Response bytes have left for the socket.
    func sent(_ bytes: Int) {
        if backlog.remove(bytes) {
            becameWritable()
        } else if !backlog.isEmpty {
            // A client that takes a large response piece by piece is no stalled one.
            noteProgress()
        }
    }

    /// The writer may go on, as far as the stream and now, or then, the connection are concerned.
    func becameWritable() {
        guard isWritable else { return }
        noteProgress()
        clientCaughtUp()
    }

    /// The stream has ended: its frames are sent, one side has reset it, or the connection is lost.
    func closed() {
        isStreamOpen = false
        if phase != .answered { end(.clientEndedCall) }
        core.release(chargedBytes)
        chargedBytes = 0
    }

    // MARK: Deadline and stalls

    /// When the call expires; nil if it has no deadline or is answered.
    var deadline: NIODeadline? {
        guard phase != .answered, let timeout = head.timeout else { return nil }
        return meter.startedAt + timeout.timeAmount
    }

    func expire() {
        answer(.deadlinePassed)
    }

    /// Resets the stream if the client has let the call wait since before `limit`.
    ///
    /// - Returns: false if it was reset before, and the client has not even taken that.
    func endIfStalled(before limit: NIODeadline) -> Bool {
        guard phase != .running || !waiters.isEmpty, meter.progressedAt < limit else { return true }
        guard isStreamOpen else { return false }
        if phase != .answered { end(.clientEndedCall) }
        reset(.cancel)
        return true
    }

    /// Ends the stream at once; what of the response has not been taken is dropped.
    func reset(_ code: HTTP2ErrorCode) {
        guard isStreamOpen else { return }
        isStreamOpen = false
        connection.write(.rstStream(code), on: stream)
        connection.flush()
    }

    // MARK: Request

    /// Looks at the head of the request, which can be enough for an answer.
    func begin() {
        if let refusal = head.refusal { return answer(refusal.status, httpStatus: refusal.httpStatus) }
        do throws(GRPCStatus) {
            method = try core.method(at: head.path)
        } catch {
            return answer(error)
        }
        if let refusal = core.configuration.gate?(head.path) { return answer(refusal) }
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

    /// The client will send no more.
    func endRequest() {
        isRequestEnded = true
        guard phase == .request, let method else { return }
        do throws(GRPCStatus) {
            let message = try request.finish()
            phase = .running
            run(method, request: message)
        } catch {
            answer(error)
        }
    }

    // MARK: Body

    private func run(_ method: GRPCMethod, request: [UInt8]) {
        let body = method.body
        let deadline = head.timeout.map { ContinuousClock.now + $0 }
        let context = CallContext(path: head.path, metadata: metadata, deadline: deadline, peer: connection.peer)
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
        task = Task(executorPreference: method.executor ?? core.configuration.bodyExecutor) {
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

    // MARK: Response

    /// Sends one message of a server stream, or only the headers; the waiter continues when the client keeps up.
    func send(_ message: ByteBuffer?, waiter: CheckedContinuation<GRPCStatus?, Never>) {
        guard phase == .running else { return waiter.resume(returning: .callHasEnded) }
        if let failure = message.flatMap(admit) { return waiter.resume(returning: failure) }
        sendHeaders()
        if let message { sendData(message) }
        connection.flush()
        noteProgress()
        guard phase == .running else { return waiter.resume(returning: .callHasEnded) }
        waiters.append(waiter)
        if isWritable { clientCaughtUp() }
    }

    private var isWritable: Bool { !backlog.isFull && connection.isWritable }

    private func answer(with message: ByteBuffer) {
        guard phase == .running else { return }
        if let failure = admit(message) { return answer(failure) }
        sendHeaders()
        sendData(message)
        answer(.ok)
    }

    /// Ends the call with a status: trailers, or a single header block if nothing was sent before.
    private func answer(_ status: GRPCStatus, httpStatus: String = "200") {
        guard phase != .answered else { return }
        let headers =
            areHeadersSent ? ResponseHead.trailers(status) : ResponseHead.trailersOnly(status, httpStatus: httpStatus)
        // First the book-keeping: writing the last frame can close the stream before the write returns.
        noteProgress()
        end(status)
        let payload = HTTP2Frame.FramePayload.headers(.init(headers: headers, endStream: true))
        if isRequestEnded {
            connection.write(payload, on: stream)
        } else {
            // The answer came before the end of the request: tell the client to stop sending (RFC 9113, 8.1).
            let sent = core.loop.makePromise(of: Void.self)
            sent.futureResult.assumeIsolated().whenSuccess { if !self.isRequestEnded { self.reset(.noError) } }
            connection.write(payload, on: stream, promise: sent)
        }
        connection.flush()
    }

    private func sendHeaders() {
        guard !areHeadersSent else { return }
        areHeadersSent = true
        connection.write(.headers(.init(headers: ResponseHead.ok)), on: stream)
    }

    private func sendData(_ message: ByteBuffer) {
        backlog.add(message.readableBytes)
        connection.write(.data(.init(data: .byteBuffer(message))), on: stream)
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
        phase = .answered
        task?.cancel()
        request.clear()
        resumeWaiters(with: .callHasEnded)
        core.configuration.onCallEnd?(meter.report(head.path, status, peer: connection.peer))
    }
}
