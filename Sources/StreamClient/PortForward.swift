import NIOCore
import NIOPosix

/// Local ports whose connections lead into a pod.
package final class PortForward: Sendable {
    /// Told of each connection that could not be forwarded.
    package typealias Report = @Sendable (StreamError) -> Void

    private let channel: any Channel
    private let session: NIOLoopBound<ForwardSession>
    private let over: EventLoopFuture<StreamError>

    private init(channel: any Channel, session: NIOLoopBound<ForwardSession>, over: EventLoopFuture<StreamError>) {
        self.channel = channel
        self.session = session
        self.over = over
    }

    /// Connects to what the URL of a PortForwardResponse names.
    package static func open(
        _ url: StreamURL, _ options: StreamOptions, report: @escaping Report
    ) async throws(StreamError) -> PortForward {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let over = loop.makePromise(of: StreamError.self)
        do {
            let session = try await loop.submit {
                NIOLoopBound(ForwardSession(report: report, over: over), eventLoop: loop)
            }.get()
            let connection = try await StreamConnection.open(url, options.tls, on: loop) { upgraded in
                try session.value.handlers(url, options.transport, upgraded: upgraded)
            }
            return PortForward(channel: connection.channel, session: session, over: over.futureResult)
        } catch {
            over.fail(error)
            throw StreamError("open the stream", error)
        }
    }

    /// Forwards the connections to a port of a local address; the port that it has become, if 0 was asked for.
    package func listen(on address: String, port: UInt16, to remote: UInt16) async throws(StreamError) -> UInt16 {
        do {
            let listener = try await ServerBootstrap(group: channel.eventLoop)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { [session] child in
                    child.eventLoop.makeCompletedFuture {
                        try child.pipeline.syncOperations.addHandler(
                            ForwardedConnection(to: remote, of: session.value))
                    }
                }
                .bind(host: address, port: Int(port)).get()
            over.whenComplete { _ in listener.close(promise: nil) }
            return listener.localAddress?.port.flatMap { UInt16(exactly: $0) } ?? port
        } catch {
            throw StreamError("listen on port \(port) of \(address)", error)
        }
    }

    /// Waits until the runtime has ended the forwarding, or `close` has, and tells why.
    package func end() async -> StreamError {
        do { return try await over.get() } catch { return StreamError("forward", error) }
    }

    /// Ends the forwarding with all its connections and listeners.
    package func close() {
        channel.eventLoop.execute { [channel, session] in
            session.value.sayGoodbye()
            channel.close(promise: nil)
        }
    }
}
