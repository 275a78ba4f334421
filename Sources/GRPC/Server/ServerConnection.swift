import NIOCore
import NIOHTTP2

/// Looks after one connection: the preface in time, no floods, GOAWAY at shutdown, and the calls that are open.
///
/// Sits behind NIOHTTP2Handler, which hands it the frames of the connection itself and all errors.
final class ServerConnection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// PING, SETTINGS, PRIORITY and WINDOW_UPDATE frames that may come while no call makes progress. A client that
    /// downloads 16 MiB sends about a thousand between two of our writes.
    static let controlFramesMax = 2000

    /// The allowance starts anew after this time, so that an idle client may send keepalive PINGs for ever.
    private static let controlFrameWindow = TimeAmount.seconds(60)

    /// How long a client without calls may take to answer the PING that goes with GOAWAY.
    private static let idleDrainTimeout = TimeAmount.seconds(1)

    private enum Phase { case awaitingPreface, open, drainStarted, draining, closed }

    private let core: ServerCore
    private var phase = Phase.awaitingPreface
    private var channelContext: ChannelHandlerContext?
    private var prefaceTimer: Scheduled<Void>?
    private var calls: [ObjectIdentifier: ServerCall] = [:]
    private var lastStreamID = HTTP2StreamID.rootStream
    private var controlFrames = 0
    private var controlFramesSince = NIODeadline.now()
    private(set) var idleSince = NIODeadline.now()

    /// Known a moment after the connection was accepted, before its first call.
    private(set) var peer: PeerCredentials?

    init(core: ServerCore) {
        self.core = core
    }

    // MARK: Calls

    var isIdle: Bool { calls.isEmpty }

    func opened(_ call: ServerCall) {
        calls[ObjectIdentifier(call)] = call
    }

    func ended(_ call: ServerCall) {
        calls[ObjectIdentifier(call)] = nil
        guard calls.isEmpty else { return }
        idleSince = .now()
        // The frames that ended the call are written but perhaps not flushed: close after this turn of the loop.
        if phase == .draining { core.loop.assumeIsolated().execute { self.close() } }
    }

    /// A stream's number, told by the multiplexer; GOAWAY names the last one that we answer.
    func sawStream(_ id: HTTP2StreamID) {
        lastStreamID = max(lastStreamID, id)
    }

    /// A call got something done, so control frames are part of honest traffic.
    func noteProgress() {
        controlFrames = 0
    }

    func endStalledCalls(before limit: NIODeadline) {
        for call in calls.values { call.endIfStalled(before: limit) }
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
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closed
        prefaceTimer?.cancel()
        core.remove(self)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data).payload {
        case .settings(.settings):
            if phase == .awaitingPreface {
                phase = .open
                prefaceTimer?.cancel()
            }
            countControlFrame()
        case .ping(_, ack: true): finishDrain()
        case .ping, .priority, .windowUpdate: countControlFrame()
        case .settings, .goAway, .data, .headers, .rstStream, .pushPromise, .alternativeService, .origin: break
        }
    }

    /// NIOHTTP2Handler has sent GOAWAY for every error but those of single streams, which it has reset.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.StreamClosed: break
        default: close()
        }
    }

    private func countControlFrame() {
        let now = NIODeadline.now()
        if now - controlFramesSince > Self.controlFrameWindow {
            controlFramesSince = now
            controlFrames = 0
        }
        controlFrames += 1
        if controlFrames > Self.controlFramesMax { goAway(.enhanceYourCalm, last: lastStreamID, thenClose: true) }
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
        let ping = HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(), ack: false))
        channelContext.writeAndFlush(wrapOutboundOut(ping), promise: nil)
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
            let payload = HTTP2Frame.FramePayload.goAway(lastStreamID: last, errorCode: code, opaqueData: nil)
            channelContext.writeAndFlush(
                wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: payload)), promise: nil)
        }
        if thenClose { close() }
    }

    func close() {
        guard phase != .closed else { return }
        channelContext?.close(promise: nil)
    }
}

/// Passes stream numbers to the connection.
struct StreamNumbers: NIOHTTP2StreamDelegate {
    let connection: NIOLoopBound<ServerConnection>

    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) {
        connection.value.sawStream(id)
    }

    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) {}
}
