import NIOCore

/// What a streaming server may be told. Every number has the default of other runtimes' servers.
package struct StreamingConfiguration: Sendable {
    /// Where to listen: an address, not a name. Port 0 takes a free one.
    package var address = "127.0.0.1"
    package var port = 0
    /// PEM files; nil serves without TLS.
    package var tls: TLSFiles?

    /// How long a URL may wait for its one use, and how many may wait.
    package var tokenLife = Duration.seconds(60)
    package var tokensMax = 1000
    /// How long a client may take to send its request.
    package var requestTimeout = Duration.seconds(10)
    /// How long a client may take to open the streams that belong to its request.
    package var creationTimeout = Duration.seconds(30)
    /// How long a connection may carry nothing.
    package var idleTimeout = Duration.seconds(4 * 60 * 60)
    /// How long output is awaited after the end of a process from children that keep it open.
    package var drainTime = Duration.seconds(5)
    /// How long a connection is silent before its client's node is asked whether it is still there.
    package var keepAliveTime = Duration.seconds(60)
    /// How often a client whose bytes nobody takes is looked at: it cannot tell that it goes.
    package var heldReadTime = Duration.seconds(5)
    package var connectionsMax = 1000
    /// Of these, connections that have not shown a token yet.
    package var strangersMax = 100
    /// Connections of one port-forward into its pod.
    package var forwardsMax = 512

    package init() {}

    package struct TLSFiles: Sendable, Equatable {
        package var certificateChain: String
        package var privateKey: String

        package init(certificateChain: String, privateKey: String) {
            self.certificateChain = certificateChain
            self.privateKey = privateKey
        }
    }
}

/// Why a streaming server does not start.
package struct StreamingError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

extension Duration {
    /// For timers of the loop; more than ten years is none of them.
    var timeAmount: TimeAmount {
        let (seconds, attoseconds) = components
        guard seconds < 315_360_000 else { return .seconds(315_360_000) }
        return .nanoseconds(max(0, seconds * 1_000_000_000 + attoseconds / 1_000_000_000))
    }
}
