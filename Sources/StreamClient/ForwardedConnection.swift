import NIOCore
import SPDY

/// A connection to a local port and its two streams: bytes go both ways, each at the pace of its receiver, and each side may
/// end before the other.
final class ForwardedConnection: ChannelDuplexHandler, SPDYStreamDelegate {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private static let errorBytesMax = 4096

    private let port: UInt16
    private let session: ForwardSession
    private var context: ChannelHandlerContext?
    private var data: SPDYStream?
    private var error: SPDYStream?
    private var errorText = ByteBuffer()
    private var isReadHeld = false

    init(to port: UInt16, of session: ForwardSession) {
        self.port = port
        self.session = session
    }

    // MARK: - The local side

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        guard let streams = session.open(port, delegate: self) else {
            session.report(port, "too many connections, or the runtime takes no more")
            return context.close(promise: nil)
        }
        (data, error) = streams
        context.fireChannelActive()
    }

    func read(context: ChannelHandlerContext) {
        if data?.isWritable ?? false { context.read() } else { isReadHeld = true }
    }

    func channelRead(context: ChannelHandlerContext, data bytes: NIOAny) { data?.write(unwrapInboundIn(bytes)) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { data?.finish() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        // Nothing is left to be told of streams that have ended by themselves.
        data.take()?.reset(.cancel)
        if error.take() != nil { session.connectionEnded() }
        context.fireChannelInactive()
    }

    // MARK: - The pod's side

    func stream(_ stream: SPDYStream, received bytes: ByteBuffer) {
        guard stream.id == data?.id, let context else {
            stream.consumed(bytes.readableBytes)
            if errorText.readableBytes + bytes.readableBytes <= Self.errorBytesMax {
                errorText.writeImmutableBuffer(bytes)
            }
            return
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in stream.consumed(bytes.readableBytes) }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: written)
    }

    func streamEnded(_ stream: SPDYStream) {
        if stream.id == data?.id {
            context?.close(mode: .output, promise: nil)
        } else if errorText.readableBytes > 0 {
            session.report(port, String(buffer: errorText))
            context?.close(promise: nil)
        }
    }

    func streamReset(_ stream: SPDYStream, _ status: SPDYResetStatus) {
        guard stream.id == data?.id else { return }
        data = nil
        context?.close(promise: nil)
    }

    func streamBecameWritable(_ stream: SPDYStream) {
        guard isReadHeld, stream.id == data?.id, stream.isWritable else { return }
        isReadHeld = false
        context?.read()
    }
}
