import NIOCore
import SPDY

/// What a connection becomes: the handlers that take over, and the headers that tell the client.
struct UpgradeChoice {
    var headers: [(String, String)]
    var handlers: [any ChannelHandler]

    static func spdy(
        _ request: StreamRequest, _ head: RequestHead, _ core: StreamingCore
    ) throws(RequestHead.Refusal) -> UpgradeChoice {
        let name: String
        let session: SPDYSession
        switch request {
        case .command(let work):
            name = try negotiate(head, of: RemoteCommandVersion.overSPDY.map(\.name))
            let known = RemoteCommandVersion.overSPDY.first { $0.name == name }
            let connection = SPDYCommandConnection(work, known?.version ?? .plain, core)
            session = try makeSession(connection)
            connection.begin(session)
        case .forward(let pod, _):
            name = try negotiate(head, of: [PortForwardProtocol.name])
            session = try makeSession(SPDYForwardConnection(pod, core))
        }
        return UpgradeChoice(
            headers: [("Upgrade", "SPDY/3.1"), ("X-Stream-Protocol-Version", name)], handlers: [session])
    }

    static func webSocket(
        _ request: StreamRequest, _ head: RequestHead, _ core: StreamingCore
    ) throws(RequestHead.Refusal) -> UpgradeChoice {
        let offered = Negotiation.members(head.values("sec-websocket-protocol"))
        let known =
            switch request {
            case .command: RemoteCommandVersion.overWebSocket.map(\.name)
            case .forward: [PortForwardProtocol.tunnelName] + PortForwardProtocol.channelNames
            }
        guard let name = Negotiation.choose(offered.isEmpty ? [""] : offered, of: known) else {
            throw RequestHead.Refusal(status: 403, reason: "unable to upgrade: unable to negotiate protocol")
        }
        let handlers: [any ChannelHandler]
        switch request {
        case .command(let work):
            let found = RemoteCommandVersion.overWebSocket.first { $0.name == name }
            let connection = WebSocketCommandConnection(work, found?.version ?? .plain, core)
            handlers = [connection.makeHandler(isBase64: found?.isBase64 ?? false)]
        case .forward(let pod, _) where name == PortForwardProtocol.tunnelName:
            handlers = [WebSocketTunnel(), try makeSession(SPDYForwardConnection(pod, core))]
        case .forward(let pod, let ports):
            guard !ports.isEmpty, ports.count <= WebSocketForwardConnection.portsMax else {
                throw RequestHead.Refusal(status: 400, reason: "unable to upgrade: no ports were asked for")
            }
            let connection = WebSocketForwardConnection(pod, ports, core)
            handlers = [connection.makeHandler(.init(isBase64: name.contains("base64")))]
        }
        return UpgradeChoice(
            headers: name.isEmpty ? [] : [("Sec-WebSocket-Protocol", name)], handlers: [WebSocketFraming()] + handlers)
    }

    private static func makeSession(
        _ delegate: any SPDYSessionDelegate
    ) throws(RequestHead.Refusal) -> SPDYSession {
        do throws(SPDYError) { return try SPDYSession(role: .server, delegate: delegate) } catch {
            throw RequestHead.Refusal(status: 500, reason: "\(error)")
        }
    }

    /// As apimachinery's httpstream answers it.
    private static func negotiate(_ head: RequestHead, of known: [String]) throws(RequestHead.Refusal) -> String {
        let offered = Negotiation.members(head.values("x-stream-protocol-version"))
        guard !offered.isEmpty else {
            throw RequestHead.Refusal(status: 400, reason: "unable to upgrade: no X-Stream-Protocol-Version")
        }
        guard let name = Negotiation.choose(offered, of: known) else {
            throw RequestHead.Refusal(
                status: 403, reason: "unable to upgrade: unable to negotiate protocol",
                headers: known.map { ("X-Accepted-Stream-Protocol-Versions", $0) })
        }
        return name
    }
}
