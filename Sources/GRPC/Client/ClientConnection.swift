import NIOCore
import NIOHTTP2

/// Looks after the client's connection: refuses calls once it is lost or the server asked to go; then closes it when
/// idle.
final class ClientConnection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private var channelContext: ChannelHandlerContext?
    private var openCalls = 0

    /// Why new calls are refused; nil while the connection is good.
    private(set) var refusal: GRPCStatus?

    func handlerAdded(context: ChannelHandlerContext) {
        channelContext = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        channelContext = nil
    }

    func callOpened() {
        openCalls += 1
    }

    func callEnded() {
        openCalls -= 1
        closeIfDone()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .goAway(_, let code, _) = unwrapInboundIn(data).payload else { return }
        let message = code == .noError ? "the server is going away" : "the server ended the connection: \(code)"
        refusal = GRPCStatus(code: .unavailable, message: message)
        closeIfDone()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.StreamClosed: break
        default:
            if refusal == nil { refusal = GRPCStatus(code: .unavailable, message: "the connection failed: \(error)") }
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if refusal == nil { refusal = GRPCStatus(code: .unavailable, message: "the connection was closed") }
        context.fireChannelInactive()
    }

    private func closeIfDone() {
        if refusal != nil, openCalls == 0 { channelContext?.close(promise: nil) }
    }
}
