/// What a peer may make a session hold, or do.
package struct SPDYLimits: Sendable {
    /// Length of a control frame; DATA has no such limit, for it is never collected.
    package var controlFrameBytesMax = 64 << 10
    /// Length of a header block once it is decompressed, and the number of its headers.
    package var headerBytesMax = 32 << 10
    package var headersMax = 64
    /// Entries of one SETTINGS frame.
    package var settingsMax = 32
    /// Streams that the peer may have open at a time; more are refused.
    package var streamsMax = 1024
    /// What a peer that speaks flow control may send on one stream before it is consumed.
    package var windowBytes = 256 << 10
    /// Unconsumed bytes of all streams at which the session stops to read.
    package var bufferedBytesMax = 1 << 20
    /// Answers (SYN_REPLY, RST_STREAM, PING, WINDOW_UPDATE) that wait for a peer which does not read.
    package var queuedAnswersMax = 4096
    /// Streams refused, and frames that belong to no stream, before the peer is taken for an attacker.
    package var strayFramesMax = 10_000

    package init() {}
}
