import NIOCore
import NIOHTTP2

/// The HTTP/2 settings and abuse limits of both sides, each chosen for a local socket with one busy client, the
/// kubelet.
enum HTTP2Limits {
    /// DATA that a stream may have in flight: large enough that a list of a node's pods needs one round trip.
    static let streamWindowBytes = 256 << 10

    /// DATA that a connection may have in flight.
    static let connectionWindowBytes = 1 << 20

    /// A stream's writer waits while more of its data than this has not been taken...
    static let streamBacklogBytesMax = 64 << 10

    /// ...until less than this is left.
    static let streamBacklogBytesLow = 32 << 10

    /// Header list of a request or response; CRI clients send a few hundred bytes. More ends the connection (HPACK
    /// bombs).
    static let headerListBytesMax = 16 << 10

    static func server(_ configuration: GRPCServerConfiguration) -> NIOHTTP2Handler.Configuration {
        var limits = common()
        limits.connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: configuration.concurrentStreamsMax),
            HTTP2Setting(parameter: .maxHeaderListSize, value: headerListBytesMax),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindowBytes),
        ]
        // A frame that was on its way to a stream which we reset is ignored, not an error; remember every stream that
        // can be open.
        limits.connection.maximumRecentlyResetStreams = configuration.concurrentStreamsMax
        return limits
    }

    static func client() -> NIOHTTP2Handler.Configuration {
        var limits = common()
        limits.connection.initialSettings = [
            HTTP2Setting(parameter: .enablePush, value: 0),
            HTTP2Setting(parameter: .maxHeaderListSize, value: headerListBytesMax),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindowBytes),
        ]
        return limits
    }

    private static func common() -> NIOHTTP2Handler.Configuration {
        var limits = NIOHTTP2Handler.Configuration()
        limits.connection.targetWindowSize = connectionWindowBytes
        limits.stream.targetWindowSize = streamWindowBytes
        limits.stream.outboundBufferSizeHighWatermark = streamBacklogBytesMax
        limits.stream.outboundBufferSizeLowWatermark = streamBacklogBytesLow

        // CONTINUATION flood (VU#421644): our header list fits one frame, so five are generous (NIO's default).
        limits.connection.maximumSequentialContinuationFrames = 5
        // Empty DATA flood (CVE-2019-9518): some clients end a stream with an empty frame, none sends ten in a row.
        limits.connection.maximumSequentialEmptyDataFrames = 10
        // Answers to PING, SETTINGS and resets that the peer does not read (CVE-2019-9512, -9514, -9515).
        limits.connection.maximumBufferedControlFrames = 4000
        // PING and SETTINGS: grpc-go measures bandwidth with up to one PING a call, so NIO's 200 in 30 s would end a
        // busy kubelet's connection. This bounds the rate; ServerConnection bounds how many come without any call
        // making progress.
        limits.connection.controlFrameRateLimit.maximumCount = 10_000
        limits.connection.controlFrameRateLimit.windowLength = .seconds(1)
        // Rapid reset (CVE-2023-44487): a sick node's probes can time out and reset by the hundred each second for a
        // while. A reset call costs us less than a finished one, and runningBodiesMax bounds what resets leave behind.
        limits.stream.streamResetFrameRateLimit.maximumCount = 3000
        limits.stream.streamResetFrameRateLimit.windowLength = .seconds(10)
        // Resets that a peer provokes from us (MadeYouReset, CVE-2025-8671): a sound client never causes one.
        limits.stream.streamErrorRateLimit.maximumCount = 200
        limits.stream.streamErrorRateLimit.windowLength = .seconds(30)
        // The same over the whole life of a connection, which for a kubelet is weeks.
        limits.connection.maximumConnectionGlitches = 2000
        return limits
    }
}
