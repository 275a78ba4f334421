/// The kubelet's back-off: no wait before the first restart, then 10 s, doubled to 5 min, forgotten after 10 min.
struct BackOff: Sendable {
    private static let first = Duration.seconds(10)
    private static let longest = Duration.seconds(300)

    private let scale: Double
    private(set) var period = Duration.zero
    private var lastRestart = Duration.zero
    /// When the next start may be.
    private(set) var notBefore = Duration.zero

    init(scale: Double) { self.scale = scale }

    /// The wait as a kubelet writes it: 10s, 2m40s; shorter ones as 10ms.
    var text: String {
        let (seconds, rest) = period.components
        if seconds < 1 { return "\(rest / 1_000_000_000_000_000)ms" }
        return seconds < 60 ? "\(seconds)s" : "\(seconds / 60)m\(seconds % 60)s"
    }

    mutating func noteEnd(at now: Duration) {
        if now - lastRestart > Self.longest * 2 * scale { period = .zero }
        notBefore = now + period
    }

    /// Goes on where an earlier run of the program was: a kubelet forgets instead.
    mutating func adopt(restarts: Int, at lastStart: Duration) {
        for _ in 0..<min(restarts, 8) { noteRestart(at: lastStart) }
    }

    mutating func noteRestart(at now: Duration) {
        period = period == .zero ? Self.first * scale : min(period * 2, Self.longest * scale)
        lastRestart = now
    }
}
