import NIOCore
import NIOPosix
import SPDY

/// How to reach a streaming server.
package struct StreamOptions: Sendable {
    /// What carries the streams.
    package enum Transport: String, CaseIterable, Sendable { case spdy, websocket }

    package var transport: Transport
    package var tls: StreamTLS

    package init(transport: Transport = .spdy, tls: StreamTLS = StreamTLS()) {
        self.transport = transport
        self.tls = tls
    }
}

/// A connection whose upgrade the server has answered.
struct StreamConnection: Sendable {
    /// How long a server may take to take a connection, and to answer.
    private static let connectTime = TimeAmount.seconds(10)
    private static let answerTime = TimeAmount.seconds(30)

    let channel: any Channel
    /// The protocol that the server chose.
    let chosen: String

    /// Connects and upgrades, on an event loop.
    /// - Parameter handlers: The handlers that do the upgrade and keep the promise that they are given.
    static func open(
        _ url: StreamURL, _ tls: StreamTLS, on loop: any EventLoop,
        handlers: @escaping @Sendable (EventLoopPromise<String>) throws -> [any ChannelHandler]
    ) async throws(StreamError) -> StreamConnection {
        let upgraded = loop.makePromise(of: String.self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .connectTimeout(connectTime)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if url.isSecure { try pipeline.addHandler(tls.handler(for: url)) }
                        try pipeline.addHandlers(handlers(upgraded))
                    }
                }
                .connect(host: url.host, port: url.port).get()
        } catch {
            upgraded.fail(error)
            throw StreamError("connect to the streaming server at \(url.authority)", error)
        }
        let late = loop.scheduleTask(in: answerTime) {
            upgraded.fail(StreamError("the streaming server at \(url.authority) does not answer"))
            channel.close(promise: nil)
        }
        defer { late.cancel() }
        do {
            return StreamConnection(channel: channel, chosen: try await upgraded.futureResult.get())
        } catch {
            channel.close(promise: nil)
            throw sentence(error)
        }
    }

    private static func sentence(_ error: any Error) -> StreamError {
        switch error {
        case let error as StreamError: error
        case let refusal as SPDYUpgrade.Refusal where refusal.httpStatus > 0:
            StreamError(
                "the server answers with HTTP status \(refusal.httpStatus): \(refusal.description.prefix(4096))")
        default: StreamError("open the stream", error)
        }
    }
}
