import NIOCore
import NIOHPACK
import NIOHTTP2

/// Looks after one connection: the preface in time, no floods, GOAWAY at shutdown, and the calls that are open.
///
/// Sits behind NIOHTTP2Handler, which hands it every sound frame, and tells in user events how streams and windows
/// change. What a multiplexer would do beside, it does itself: a table of the calls, windows, and one flush a read.
final class ServerConnection: ChannelInboundHandler, NIOHTTP2FrameDelegate {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// How long a client without calls may take to answer the PING that goes with GOAWAY.
    private static let idleDrainTimeout = TimeAmount.seconds(1)

    private enum Phase { case awaitingPreface, open, drainStarted, draining, closed }

    private let core: ServerCore
    private var phase = Phase.awaitingPreface
    private var channelContext: ChannelHandlerContext?
    private var prefaceTimer: Scheduled<Void>?
    private var calls: [HTTP2StreamID: ServerCall] = [:]
    /// GOAWAY names the last stream that we answer.
    private var lastStreamID = HTTP2StreamID.rootStream
    private var deadlines = DeadlineTimer()
    private var controlFrames = ControlFrameBudget()
    private var isReading = false
    private var isFlushWanted = false
    private(set) var idleSince = NIODeadline.now()

    /// Known a moment after the connection was accepted, before its first call.
    private(set) var peer: PeerCredentials?

    init(core: ServerCore) {
        self.core = core
    }

    // MARK: Calls

    var isIdle: Bool { calls.isEmpty }

    private func open(_ stream: HTTP2StreamID, _ headers: HPACKHeaders) -> ServerCall {
        let call = ServerCall(stream, headers, core: core, connection: self)
        calls[stream] = call
        lastStreamID = max(lastStreamID, stream)
        call.begin()
        if let deadline = call.deadline { deadlines.add(deadline, on: core.loop) { self.expireCalls() } }
        return call
    }

    private func closed(_ stream: HTTP2StreamID) {
        guard let call = calls.removeValue(forKey: stream) else { return }
        call.closed()
        guard calls.isEmpty else { return }
        idleSince = .now()
        // The frames that ended the call are written but perhaps not flushed: close after this turn of the loop.
        if phase == .draining { core.loop.assumeIsolated().execute { self.close() } }
    }

    private func expireCalls() {
        deadlines.cancel()
        let now = NIODeadline.now()
        for call in calls.values where call.deadline.map({ $0 <= now }) ?? false { call.expire() }
        if let next = calls.values.compactMap(\.deadline).min() {
            deadlines.add(next, on: core.loop) { self.expireCalls() }
        }
    }

    /// A call got something done.
    func noteProgress() {
        controlFrames.reset()
    }

    /// Ends calls whose client has let them wait, and the connection if the client does not read at all: its calls would
    /// hold their memory for ever.
    func endStalledCalls(before limit: NIODeadline) {
        for call in calls.values {
            guard call.endIfStalled(before: limit) else { return close() }
        }
    }

    // MARK: Frames to the client

    var isWritable: Bool { channelContext?.channel.isWritable ?? false }

    func write(
        _ payload: HTTP2Frame.FramePayload, on stream: HTTP2StreamID, promise: EventLoopPromise<Void>? = nil
    ) {
        guard let channelContext else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        channelContext.write(wrapOutboundOut(HTTP2Frame(streamID: stream, payload: payload)), promise: promise)
    }

    /// Sends what was written; within a read at its end, all answers together.
    func flush() {
        if isReading {
            isFlushWanted = true
        } else {
            channelContext?.flush()
        }
    }

    /// Told by NIOHTTP2Handler of each frame that leaves it, which is not the moment to write another.
    func wroteFrame(_ frame: HTTP2Frame) {
        guard case .data(let payload) = frame.payload else { return }
        calls[frame.streamID]?.sent(payload.data.readableBytes)
    }

    // MARK: Events

    func handlerAdded(context: ChannelHandlerContext) {
        channelContext = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        channelContext = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        guard core.admit(self) else {
            close()
            return
        }
        prefaceTimer = core.loop.assumeIsolated().scheduleTask(in: core.configuration.prefaceTimeout.timeAmount) {
            if self.phase == .awaitingPreface { self.close() }
        }
        PeerCredentials.read(from: context.channel).assumeIsolated().whenSuccess { self.peer = $0 }
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closed
        prefaceTimer?.cancel()
        deadlines.cancel()
        for stream in calls.keys { closed(stream) }
        core.remove(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        let frame = unwrapInboundIn(data)
        switch frame.payload {
        case .headers(let block):
            // A second header block is the request's trailers, of which gRPC has none.
            let call = calls[frame.streamID] ?? open(frame.streamID, block.headers)
            if block.endStream { call.endRequest() }
        case .data(let payload): calls[frame.streamID]?.receive(payload)
        case .settings(.settings):
            if phase == .awaitingPreface {
                phase = .open
                prefaceTimer?.cancel()
            }
            countControlFrame()
        case .ping(_, ack: true): finishDrain()
        case .ping, .priority: countControlFrame()
        case .windowUpdate: if frame.streamID == .rootStream { countControlFrame() }
        case .settings, .goAway, .rstStream, .pushPromise, .alternativeService, .origin: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        guard isFlushWanted else { return }
        isFlushWanted = false
        context.flush()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        for call in calls.values { call.becameWritable() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let change as NIOHTTP2WindowUpdatedEvent: reopenWindow(change)
        case let end as StreamClosedEvent: closed(end.streamID)
        default: break
        }
    }

    /// NIOHTTP2Handler has sent GOAWAY for every error but those of single streams: it has reset those whose client
    /// made the error, and they are closed now.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let error as NIOHTTP2Errors.StreamError: calls[error.streamID]?.reset(.internalError)
        case is NIOHTTP2Errors.StreamClosed: break
        default: close()
        }
    }

    /// Lets the client send more when half of a window is used up: what arrives is handled at once.
    private func reopenWindow(_ change: NIOHTTP2WindowUpdatedEvent) {
        let isConnection = change.streamID == .rootStream
        let full = isConnection ? HTTP2Limits.connectionWindowBytes : HTTP2Limits.streamWindowBytes
        guard let left = change.inboundWindowSize, left <= full / 2,
            isConnection || calls[change.streamID]?.isReceiving ?? false
        else { return }
        write(.windowUpdate(windowSizeIncrement: full - left), on: change.streamID)
        flush()
    }

    private func countControlFrame() {
        if !controlFrames.count() { goAway(.enhanceYourCalm, last: lastStreamID, thenClose: true) }
    }

    // MARK: Ends

    /// Begins a graceful end: GOAWAY that names no limit, then a PING. Its answer proves that the client knows, so that
    /// no call can be under way to us unseen (RFC 9113, 6.8).
    func drain() {
        guard phase == .open, let channelContext else {
            close()
            return
        }
        phase = .drainStarted
        goAway(.noError, last: .maxID, thenClose: false)
        write(.ping(HTTP2PingData(), ack: false), on: .rootStream)
        channelContext.flush()
        core.loop.assumeIsolated().scheduleTask(in: Self.idleDrainTimeout) {
            if self.calls.isEmpty { self.close() }
        }
    }

    private func finishDrain() {
        guard phase == .drainStarted else { return }
        phase = .draining
        goAway(.noError, last: lastStreamID, thenClose: calls.isEmpty)
    }

    /// Makes room for another connection; a client with a sound library connects again when it has a call.
    func evict() {
        goAway(.noError, last: lastStreamID, thenClose: true)
    }

    private func goAway(_ code: HTTP2ErrorCode, last: HTTP2StreamID, thenClose: Bool) {
        guard phase != .closed, let channelContext else { return }
        // Before the client's preface there is nobody to read a frame.
        if phase != .awaitingPreface {
            write(.goAway(lastStreamID: last, errorCode: code, opaqueData: nil), on: .rootStream)
            channelContext.flush()
        }
        if thenClose { close() }
    }

    func close() {
        guard phase != .closed else { return }
        channelContext?.close(promise: nil)
    }
}
