import NIOCore
import NIOHTTP1
import NIOWebSocket

/// The answer to a client's key (RFC 6455, 4.2.2), which NIO knows how to make.
enum WebSocketHandshake {
    /// The headers of the answer; fails for a handshake that is not one.
    static func answer(_ head: RequestHead, _ channel: any Channel) -> EventLoopFuture<[(String, String)]> {
        var headers = HTTPHeaders()
        for name in ["Sec-WebSocket-Key", "Sec-WebSocket-Version"] {
            for value in head.values(name.lowercased()) { headers.add(name: name, value: value) }
        }
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(HTTPHeaders()) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
        let request = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: headers)
        return upgrader.buildUpgradeResponse(
            channel: channel, upgradeRequest: request, initialResponseHeaders: HTTPHeaders()
        ).map { answer in
            [("Upgrade", "websocket")]
                + answer["Sec-WebSocket-Accept"].map { ("Sec-WebSocket-Accept", $0) }
        }
    }
}
