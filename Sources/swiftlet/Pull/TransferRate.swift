/// Bytes a second over the last seconds, from what came in by when.
struct TransferRate {
    /// Enough for some three seconds of ten messages each; older ones say nothing of now.
    private static let samplesMax = 30
    private static let window = Duration.seconds(3)

    private var samples: [(time: ContinuousClock.Instant, bytes: Int64)] = []

    mutating func note(_ bytes: Int64, at time: ContinuousClock.Instant) {
        // A transfer that began again.
        if let last = samples.last, bytes < last.bytes { samples = [] }
        if samples.count == Self.samplesMax { samples.removeFirst() }
        samples.append((time, bytes))
    }

    /// Nil until two moments are known.
    func perSecond(at now: ContinuousClock.Instant) -> Double? {
        guard let last = samples.last else { return nil }
        let recent = samples.first { $0.time + Self.window >= now } ?? last
        let time = (now - recent.time) / .seconds(1)
        guard time > 0.05 else { return nil }
        return Double(last.bytes - recent.bytes) / time
    }
}
