package import NIOCore

/// What a session tells its owner, on its event loop.
package protocol SPDYSessionDelegate: AnyObject {
    /// The peer opens a stream: set its delegate and call `accept`, or `reset` it.
    func session(_ session: SPDYSession, opened stream: SPDYStream)
    /// Nothing more comes; every stream has been reset. The last call.
    func sessionEnded(_ session: SPDYSession, _ failure: SPDYError?)
}

/// SPDY/3.1 on a connection: a channel handler that takes and gives bytes, below or above anything that carries them.
///
///     running --close, GOAWAY of the peer and no stream left--> closing --peer closes, or time is up--> over
///
/// Malformed input and abused limits lead to `closing` as well, with GOAWAY PROTOCOL_ERROR. In `closing`, input is discarded,
/// so that what was written reaches the peer: a socket that is closed with unread input is reset (RFC 2525, 2.17).
package final class SPDYSession: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// Who opens odd and who even streams.
    package enum Role: Sendable { case client, server }

    enum Phase { case running, closing, over }

    /// The session's window has 16 MiB, so that it never holds back what `bufferedBytesMax` does not.
    static let sessionWindowBytes = 16 << 20
    /// How long the peer may take to close its side.
    private static let lingerTime = TimeAmount.seconds(2)

    let role: Role
    let limits: SPDYLimits
    var delegate: (any SPDYSessionDelegate)?
    var decoder: FrameDecoder
    private var encoder: FrameEncoder
    var phase = Phase.running
    private(set) var context: ChannelHandlerContext?

    var streams: [UInt32: SPDYStream] = [:]
    private var nextID: UInt32
    var lastPeerID: UInt32 = 0
    var peerStreams = 0
    var refusals = 0
    var isPeerLeaving = false
    private var wantsClose = false

    /// The peer has shown that it keeps to windows; see the README.
    var isPeerPaced = false
    var peerInitialWindow = FrameFormat.windowBytes
    var sessionCredit = FrameFormat.windowBytes
    var sessionSent = 0
    var sessionUnannounced = SPDYSession.sessionWindowBytes - FrameFormat.windowBytes

    private(set) var bufferedBytes = 0
    private var isReadHeld = false
    private var queuedAnswers = 0
    private var isInRead = false
    private var needsFlush = false

    package init(
        role: Role, limits: SPDYLimits = SPDYLimits(), delegate: any SPDYSessionDelegate
    ) throws(SPDYError) {
        self.role = role
        self.limits = limits
        self.delegate = delegate
        decoder = try FrameDecoder(limits: limits)
        encoder = try FrameEncoder()
        nextID = role == .client ? 1 : 2
    }

    // MARK: Use

    /// Opens a stream; nil where no more are to be had: the session has ended, or the peer wants no more.
    package func open(_ headers: SPDYHeaders, delegate: any SPDYStreamDelegate) -> SPDYStream? {
        guard phase == .running, !isPeerLeaving, !wantsClose, context != nil, nextID < FrameFormat.streamIDMax else {
            return nil
        }
        let stream = SPDYStream(
            id: nextID, headers: headers, session: self, isOurs: true, creditBytes: peerInitialWindow)
        nextID += 2
        stream.delegate = delegate
        streams[stream.id] = stream
        send(.synStream(id: stream.id, headers: headers, isLast: false, isUnidirectional: false))
        return stream
    }

    /// Whether `id` is one that we have opened.
    func isOurOldID(_ id: UInt32) -> Bool { id < nextID }

    /// Oldest first; callbacks may change the table.
    var sortedStreams: [SPDYStream] { streams.values.sorted { $0.id < $1.id } }

    /// The streams that are open now.
    package var streamCount: Int { streams.count }

    /// Ends the session when all that was written has left: streams that are open then are reset, GOAWAY is sent, and the
    /// connection is closed once the peer has closed it, or after two seconds.
    package func close() {
        guard phase == .running else { return }
        wantsClose = true
        closeIfDone()
    }

    // MARK: Channel events

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        let window = ControlFrame.Setting(
            id: ControlFrame.Setting.initialWindowSize, value: UInt32(clamping: limits.windowBytes))
        send(.settings([window]))
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        end(nil)
        self.context = nil
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase == .running else { return }
        decoder.append(unwrapInboundIn(data))
        isInRead = true
        do throws(SPDYError) {
            while phase == .running, let event = try decoder.next() { try receive(event) }
        } catch {
            fail(error)
        }
        isInRead = false
        flushIfNeeded()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        end(nil)
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(SPDYError("connection: \(error)"))
        context.close(promise: nil)
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            for stream in sortedStreams where stream.isWritable { stream.delegate?.streamBecameWritable(stream) }
        }
        context.fireChannelWritabilityChanged()
    }

    package func read(context: ChannelHandlerContext) {
        if phase == .running, bufferedBytes >= limits.bufferedBytesMax {
            isReadHeld = true
        } else {
            context.read()
        }
    }

    // MARK: Sending

    var isChannelWritable: Bool { context?.channel.isWritable ?? false }

    func send(_ frame: ControlFrame, promise: EventLoopPromise<Void>? = nil) {
        guard let context, let bytes = encoder.encode(frame, context.channel.allocator) else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.write(wrapOutboundOut(bytes), promise: promise)
        needsFlush = true
        flushIfNeeded()
    }

    /// Sends what the peer has provoked; a peer that provokes and does not read is cut off.
    func answer(_ frame: ControlFrame) {
        guard phase == .running, let context else { return }
        queuedAnswers += 1
        guard queuedAnswers <= limits.queuedAnswersMax else {
            return fail(SPDYError("peer does not read \(queuedAnswers) answers"))
        }
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { _ in self.queuedAnswers -= 1 }
        send(frame, promise: sent)
    }

    func sendData(_ bytes: ByteBuffer?, of stream: SPDYStream, isLast: Bool) {
        guard let context else { return }
        let count = bytes?.readableBytes ?? 0
        let head = FrameEncoder.dataHead(id: stream.id, length: count, isLast: isLast, context.channel.allocator)
        context.write(wrapOutboundOut(head), promise: nil)
        if let bytes { context.write(wrapOutboundOut(bytes), promise: nil) }
        stream.sentBytes += count
        sessionSent += count
        needsFlush = true
    }

    func flushIfNeeded() {
        guard needsFlush, !isInRead else { return }
        needsFlush = false
        context?.flush()
    }

    // MARK: Counting what was received

    func deliver(_ bytes: ByteBuffer, to stream: SPDYStream) {
        stream.unconsumedBytes += bytes.readableBytes
        bufferedBytes += bytes.readableBytes
        stream.delegate?.stream(stream, received: bytes)
    }

    func consumed(_ count: Int, by stream: SPDYStream) {
        release(count)
        announceWindow(of: stream)
    }

    func release(_ count: Int) {
        bufferedBytes -= count
        guard isReadHeld, bufferedBytes < limits.bufferedBytesMax else { return }
        isReadHeld = false
        context?.read()
    }

    // MARK: The end

    func closeIfDone() {
        guard phase == .running, wantsClose || isPeerLeaving && streams.isEmpty else { return }
        if streams.values.contains(where: { !$0.pending.isEmpty }) { return }
        for stream in sortedStreams {
            send(.rstStream(id: stream.id, status: .cancel))
        }
        shutDown(.ok, nil)
    }

    func fail(_ error: SPDYError) {
        guard phase == .running else { return }
        shutDown(.protocolError, error)
    }

    private func shutDown(_ status: SPDYGoAwayStatus, _ failure: SPDYError?) {
        guard let context else { return end(failure) }
        phase = .closing
        let written = context.eventLoop.makePromise(of: Void.self)
        isInRead = false
        send(.goAway(lastID: lastPeerID, status: status), promise: written)
        let loop = context.eventLoop.assumeIsolated()
        let channel = context.channel
        // A peer that was cut off has no claim to what is still queued; any other may take its time to read it. One that has
        // sent GOAWAY first waits for us.
        if failure != nil {
            loop.scheduleTask(in: Self.lingerTime) { channel.close(promise: nil) }
        } else {
            let time = isPeerLeaving ? .zero : Self.lingerTime
            written.futureResult.assumeIsolated().whenComplete { _ in
                loop.scheduleTask(in: time) { channel.close(promise: nil) }
            }
        }
        if isReadHeld {
            isReadHeld = false
            context.read()
        }
        endStreams(failure)
    }

    private func end(_ failure: SPDYError?) {
        guard phase != .over else { return }
        phase = .over
        endStreams(failure)
    }

    /// Tells everybody once, and lets go of them.
    private func endStreams(_ failure: SPDYError?) {
        for stream in sortedStreams {
            let delegate = stream.delegate
            drop(stream)
            delegate?.streamReset(stream, .cancel)
        }
        let delegate = delegate
        self.delegate = nil
        delegate?.sessionEnded(self, failure)
    }
}
