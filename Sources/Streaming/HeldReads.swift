import Linux
import NIOCore
import NIOPosix

/// Sees that a client has gone while nothing is read from it.
///
/// A client whose bytes nobody takes fills the socket's receive buffer. If it goes then, its FIN waits behind what it had sent, so
/// this end hears nothing: the client's end is looked at instead, where it is on this node, as a kubelet's is. What goes on another
/// node is for the keep-alive probes, which a kernel that has given up such an end answers with RST.
final class HeldReads: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let interval: TimeAmount
    private var isReading = false
    private var timer: Scheduled<Void>?

    init(lookingEvery interval: TimeAmount) { self.interval = interval }

    func read(context: ChannelHandlerContext) {
        isReading = true
        context.read()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Whoever wants more asks for it, now or later.
        isReading = false
        context.fireChannelReadComplete()
        if timer == nil { lookLater(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    private func lookLater(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: interval) {
            self.timer = nil
            guard !self.isReading, context.channel.isActive else { return }
            if Self.isGone(context.channel) { return context.close(promise: nil) }
            self.lookLater(context)
        }
    }

    private static func isGone(_ channel: any Channel) -> Bool {
        do {
            return try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self, TCPConnection.isPeerClosed) ?? false
        } catch {
            // A kernel without sock_diag: the keep-alive probes are left.
            return false
        }
    }
}
