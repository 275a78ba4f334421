import NIOCore

/// How many frames that carry no call a client may send before a call gets something done.
struct ControlFrameBudget {
    /// PING, SETTINGS, PRIORITY and WINDOW_UPDATE frames that may come while no call makes progress. A client that
    /// downloads 16 MiB sends about a thousand between two of our writes.
    private static let framesMax = 2000

    /// The allowance starts anew after this time, so that an idle client may send keepalive PINGs for ever.
    private static let window = TimeAmount.seconds(60)

    private var frames = 0
    private var since = NIODeadline.now()

    /// Counts a frame; false if there were too many.
    mutating func count() -> Bool {
        let now = NIODeadline.now()
        if now - since > Self.window {
            since = now
            frames = 0
        }
        frames += 1
        return frames <= Self.framesMax
    }

    /// A call got something done, so control frames are part of honest traffic.
    mutating func reset() {
        frames = 0
    }
}
