import Linux
import Model
import NIOCore
import NIOPosix

/// One connection of a client into a pod: copies between a client's stream and a socket, and tells failures on a second stream.
///
/// Each direction ends by itself, as TCP has it. Reading waits for writing on both sides.
final class ForwardedPort: ClientStreamReceiver {
    private enum Phase {
        case connecting
        case open(any Channel)
        case over
    }

    private let core: StreamingCore
    private let pod: PodID
    private let port: UInt16
    private let data: any ClientStream
    private let error: any ClientStream
    private let onEnd: (ForwardedPort) -> Void
    private var phase = Phase.connecting
    /// What came before the socket was connected.
    private var early: [ByteBuffer] = []
    private var hasClientEnded = false
    private var hasPodEnded = false

    /// Takes both streams over. `onEnd` is called once, when the socket is closed.
    init(
        _ pod: PodID, _ port: UInt16, data: any ClientStream, error: any ClientStream, _ core: StreamingCore,
        onEnd: @escaping (ForwardedPort) -> Void
    ) {
        self.core = core
        self.pod = pod
        self.port = port
        self.data = data
        self.error = error
        self.onEnd = onEnd
    }

    func start() {
        error.receiver = Discarder(error)
        data.receiver = self
        let (target, pod, port, loop) = (core.target, pod, port, core.loop)
        let forward = NIOLoopBound(self, eventLoop: loop)
        core.run {
            let result: Result<FDHandover, Fault>
            do throws(Fault) { result = .success(try await target.connect(to: pod, port: port)) } catch {
                result = .failure(error)
            }
            loop.execute { forward.value.hasConnected(result) }
        }
    }

    // MARK: The client's side

    func received(_ bytes: ByteBuffer) {
        switch phase {
        case .connecting: early.append(bytes)
        case .open(let channel): send(bytes, to: channel)
        case .over: data.consumed(bytes.readableBytes)
        }
    }

    func ended() {
        hasClientEnded = true
        if case .open(let channel) = phase { endInput(of: channel) }
    }

    func gone() { end() }

    func becameWritable() {
        if case .open(let channel) = phase { channel.read() }
    }

    // MARK: The pod's side

    private func hasConnected(_ result: Result<FDHandover, Fault>) {
        guard case .connecting = phase else { return }
        switch result {
        case .failure(let fault): fail("\(fault)")
        case .success(let handover):
            guard let fd = handover.take() else { return fail("no socket") }
            let forward = NIOLoopBound(self, eventLoop: core.loop)
            let future = ClientBootstrap(group: core.loop)
                .channelOption(ChannelOptions.autoRead, value: false)
                .channelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(PodSocket(forward.value))
                    }
                }
                .withConnectedSocket(fd.take())
            future.assumeIsolated().whenComplete { self.hasAdopted($0) }
        }
    }

    private func hasAdopted(_ result: Result<any Channel, any Error>) {
        switch (phase, result) {
        case (.connecting, .success(let channel)):
            phase = .open(channel)
            let bytes = early
            early = []
            for part in bytes { send(part, to: channel) }
            if hasClientEnded { endInput(of: channel) }
            if data.isWritable { channel.read() }
        case (.connecting, .failure(let error)): fail("\(error)")
        // The client went meanwhile.
        case (_, .success(let channel)): channel.close(promise: nil)
        case (_, .failure): return
        }
    }

    /// The client may send as many bytes again once these have left.
    private func send(_ bytes: ByteBuffer, to channel: any Channel) {
        let count = bytes.readableBytes
        channel.writeAndFlush(bytes).assumeIsolated().whenComplete { _ in self.data.consumed(count) }
    }

    private func endInput(of channel: any Channel) {
        if hasPodEnded { return end() }
        channel.close(mode: .output, promise: nil)
    }

    fileprivate func podSent(_ bytes: ByteBuffer) { data.write(bytes) }

    fileprivate func podPaused(_ context: ChannelHandlerContext) { if data.isWritable { context.read() } }

    fileprivate func podEnded() {
        hasPodEnded = true
        data.finish()
        // The client's bytes may go on, until it ends the stream; Go's resets it now.
        if hasClientEnded || !data.hasHalves { end() }
    }

    fileprivate func podIsGone() { end() }

    // MARK: The end

    /// Told on the stream for errors, which is all that is known of this connection.
    private func fail(_ reason: String) {
        error.write(ByteBuffer(string: "error forwarding port \(port) to pod \(pod), uid : \(reason)"))
        error.finish()
        data.reset()
        end()
    }

    func end() {
        let last = phase
        if case .over = last { return }
        phase = .over
        data.finish()
        error.finish()
        early = []
        if case .open(let channel) = last { channel.close(promise: nil) }
        onEnd(self)
    }
}

/// The socket in the pod.
private final class PodSocket: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let forward: ForwardedPort
    init(_ forward: ForwardedPort) { self.forward = forward }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { forward.podSent(unwrapInboundIn(data)) }
    func channelReadComplete(context: ChannelHandlerContext) { forward.podPaused(context) }
    func channelInactive(context: ChannelHandlerContext) { forward.podIsGone() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { forward.podEnded() }
    }
}
