import NIOCore
import SPDY

/// The SPDY session of a port forwarding: each connection has two streams of it.
final class ForwardSession: SPDYSessionDelegate {
    private static let spdyProtocol = "portforward.k8s.io"
    private static let tunnelProtocol = "SPDY/3.1+portforward.k8s.io"
    /// Connections at a time.
    private static let connectionsMax = 1024

    private let report: PortForward.Report
    private let over: EventLoopPromise<StreamError>
    private var session: SPDYSession?
    private var lastRequest = 0
    private var connections = 0

    init(report: @escaping PortForward.Report, over: EventLoopPromise<StreamError>) {
        self.report = report
        self.over = over
    }

    /// The handlers of the connection to the server.
    func handlers(
        _ url: StreamURL, _ transport: StreamOptions.Transport, upgraded: EventLoopPromise<String>
    ) throws -> [any ChannelHandler] {
        let session = try SPDYSession(role: .client, delegate: self)
        self.session = session
        switch transport {
        case .spdy:
            return [
                SPDYUpgrade(
                    path: url.path, host: url.authority, protocols: [Self.spdyProtocol], session: session,
                    upgraded: upgraded)
            ]
        case .websocket:
            return [
                WebSocketHandler(url, protocols: [Self.tunnelProtocol], upgraded: upgraded) { _ in
                    [WebSocketTunnel(), session]
                }
            ]
        }
    }

    /// Opens the streams of a connection to a port of the pod; nil where there can be no more.
    func open(_ port: UInt16, delegate: any SPDYStreamDelegate) -> (data: SPDYStream, error: SPDYStream)? {
        guard connections < Self.connectionsMax, let session else { return nil }
        lastRequest += 1
        func stream(_ type: String) -> SPDYStream? {
            session.open(["streamtype": type, "port": "\(port)", "requestid": "\(lastRequest)"], delegate: delegate)
        }
        // The error stream first, as servers expect it; it is theirs to write.
        guard let error = stream("error") else { return nil }
        error.finish()
        guard let data = stream("data") else { return nil }
        connections += 1
        return (data, error)
    }

    func connectionEnded() { connections -= 1 }

    /// Tells the user of a connection that could not be forwarded.
    func report(_ port: UInt16, _ reason: String) {
        report(StreamError("forward a connection to port \(port): \(reason)"))
    }

    func sayGoodbye() { session?.close() }

    // MARK: - Events

    func session(_ session: SPDYSession, opened stream: SPDYStream) { stream.reset(.refusedStream) }

    func sessionEnded(_ session: SPDYSession, _ failure: SPDYError?) {
        self.session = nil
        over.succeed(StreamError("the runtime ended the forwarding" + (failure.map { ": \($0)" } ?? "")))
    }
}
