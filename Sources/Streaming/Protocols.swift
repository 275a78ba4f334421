/// The versions of the remote command protocol (apimachinery, util/remotecommand/constants.go).
struct RemoteCommandVersion: Equatable {
    /// A stream for the terminal's size: v3.
    var hasResize: Bool
    /// The status as a metav1.Status: v4.
    var hasJSONStatus: Bool
    /// A message that closes a channel, WebSocket only: v5.
    var hasChannelClose = false

    /// v1.
    static let plain = Self(hasResize: false, hasJSONStatus: false)

    /// Over SPDY, the best first.
    static let overSPDY: [(name: String, version: Self)] = [
        ("v4.channel.k8s.io", .init(hasResize: true, hasJSONStatus: true)),
        ("v3.channel.k8s.io", .init(hasResize: true, hasJSONStatus: false)),
        ("v2.channel.k8s.io", .init(hasResize: false, hasJSONStatus: false)),
        ("channel.k8s.io", .plain),
    ]

    /// Over WebSocket; a client that names none speaks the first.
    static let overWebSocket: [(name: String, version: Self, isBase64: Bool)] = [
        ("", .init(hasResize: true, hasJSONStatus: false), false),
        ("channel.k8s.io", .init(hasResize: true, hasJSONStatus: false), false),
        ("base64.channel.k8s.io", .init(hasResize: true, hasJSONStatus: false), true),
        ("v4.channel.k8s.io", .init(hasResize: true, hasJSONStatus: true), false),
        ("v4.base64.channel.k8s.io", .init(hasResize: true, hasJSONStatus: true), true),
        ("v5.channel.k8s.io", .init(hasResize: true, hasJSONStatus: true, hasChannelClose: true), false),
    ]
}

enum PortForwardProtocol {
    static let name = "portforward.k8s.io"
    /// SPDY inside of WebSocket messages (client-go, tools/portforward).
    static let tunnelName = "SPDY/3.1+portforward.k8s.io"
    /// Two channels for each port.
    static let channelNames = ["", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"]
}

/// The choice of a protocol as apimachinery's httpstream does it.
enum Negotiation {
    /// The first that the client offers and the server has: the client's order counts.
    static func choose(_ offered: [String], of known: [String]) -> String? { offered.first { known.contains($0) } }

    /// The members of header values that are lists.
    static func members(_ values: [String]) -> [String] {
        values.flatMap { $0.split(separator: ",") }
            .map { String($0.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()) }
            .filter { !$0.isEmpty }
    }
}
