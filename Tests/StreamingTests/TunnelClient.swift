import NIOCore
import SPDY
import Streaming

/// A client of SPDY inside of a WebSocket: a session on a channel of its own, whose bytes go through messages.
final class TunnelClient: Sendable {
    let socket: WebSocketClient
    private let session: NIOLoopBound<SPDYSession>
    private let owner: NIOLoopBound<Owner>

    private final class Owner: SPDYSessionDelegate {
        func session(_ session: SPDYSession, opened stream: SPDYStream) { stream.reset(.refusedStream) }
        func sessionEnded(_ session: SPDYSession, _ failure: SPDYError?) {}
    }

    /// Stands behind the socket's reader and turns bytes into frames, and messages into bytes.
    private final class Messages: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            let bytes = [UInt8](unwrapOutboundIn(data).readableBytesView)
            // Two frames for each, so that messages and what is in them have nothing to do with each other.
            let half = bytes.count / 2
            let frames =
                WebSocketClient.frame(2, Array(bytes[..<half]), isFinal: false)
                + WebSocketClient.frame(0, Array(bytes[half...]))
            context.write(wrapOutboundOut(ByteBuffer(bytes: frames)), promise: promise)
        }
    }

    init(_ url: String) async throws {
        socket = try await WebSocketClient(url, "SPDY/3.1+portforward.k8s.io")
        let channel = socket.channel
        (session, owner) = try await channel.eventLoop.submit {
            let owner = Owner()
            let session = try SPDYSession(role: .client, delegate: owner)
            try channel.pipeline.syncOperations.addHandlers([Messages(), session])
            return (
                NIOLoopBound(session, eventLoop: channel.eventLoop), NIOLoopBound(owner, eventLoop: channel.eventLoop)
            )
        }.get()
    }

    func open(port: UInt16) async throws -> SPDYClientEnd {
        let loop = socket.channel.eventLoop
        let session = session
        return try await loop.submit {
            var headers: SPDYHeaders = ["streamType": "error", "port": "\(port)", "requestID": "0"]
            _ = try SPDYClientEnd(headers, session.value, loop)
            headers["streamType"] = "data"
            return try SPDYClientEnd(headers, session.value, loop)
        }.get()
    }
}
