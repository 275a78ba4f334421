/// How often something took how long, by fixed bounds.
struct Histogram {
    /// Upper bounds of the buckets in seconds.
    let bounds: [Double]
    /// One for each bound, and one for what is beyond.
    private var buckets: [UInt64]
    private var seconds = 0.0
    private var count: UInt64 = 0

    init(bounds: [Double]) {
        self.bounds = bounds
        buckets = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    mutating func add(_ seconds: Double) {
        buckets[bounds.firstIndex { seconds <= $0 } ?? bounds.count] += 1
        self.seconds += seconds
        count += 1
    }

    /// The samples of one series, after `MetricsText.family`.
    func write(_ name: String, _ labels: [(name: String, value: String)], to page: inout MetricsText) {
        var sum: UInt64 = 0
        for (index, bucket) in buckets.enumerated() {
            sum += bucket
            let bound = index < bounds.count ? "\(bounds[index])" : "+Inf"
            page.sample(name + "_bucket", labels + [("le", bound)], "\(sum)")
        }
        page.sample(name + "_sum", labels, "\(seconds)")
        page.sample(name + "_count", labels, "\(count)")
    }
}
