import CRIProto
import GRPC
import Synchronization

/// How long calls took, by method and by how they ended. A call is noted on its connection's thread: one lock, no memory.
final class CallStatistics: Sendable {
    /// Upper bounds of the buckets in seconds: from an answer out of memory to a pull.
    static let bounds = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
    ]
    /// Whatever is no method of the CRI: a client cannot make series.
    private static let other = "other"

    private struct Series: Hashable {
        var method: String
        var code: String
    }

    private struct Counts {
        /// One for each bound, and one for what is beyond.
        var buckets = [UInt64](repeating: 0, count: bounds.count + 1)
        var seconds = 0.0
        var calls: UInt64 = 0
    }

    private let methods: [String: String]
    private let counts = Mutex<[Series: Counts]>([:])

    init() {
        methods = Dictionary(uniqueKeysWithValues: CRIMethods.all.map { ($0.path, $0.name) })
    }

    func note(_ report: CallReport) {
        let series = Series(method: methods[report.path] ?? Self.other, code: "\(report.status.code)")
        let seconds = Double(report.duration.microseconds) / 1_000_000
        let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        counts.withLock { counts in
            counts[series, default: Counts()].buckets[bucket] += 1
            counts[series, default: Counts()].seconds += seconds
            counts[series, default: Counts()].calls += 1
        }
    }

    func write(to page: inout MetricsText) {
        let name = "swiftlet_rpc_duration_seconds"
        page.family(name, .histogram, "Time from a call's request to its end, streams included.")
        let all = counts.withLock { $0 }.sorted { ($0.key.method, $0.key.code) < ($1.key.method, $1.key.code) }
        for (series, counts) in all {
            let labels = [("method", series.method), ("code", series.code)]
            var sum: UInt64 = 0
            for (index, bucket) in counts.buckets.enumerated() {
                sum += bucket
                let bound = index < Self.bounds.count ? "\(Self.bounds[index])" : "+Inf"
                page.sample(name + "_bucket", labels + [("le", bound)], "\(sum)")
            }
            page.sample(name + "_sum", labels, "\(counts.seconds)")
            page.sample(name + "_count", labels, "\(counts.calls)")
        }
    }
}
