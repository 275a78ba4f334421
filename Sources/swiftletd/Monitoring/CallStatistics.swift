import CRIProto
import GRPC
import Synchronization

/// How long calls took, by method and by how they ended. A call is noted on its connection's thread: it makes no text and holds
/// one lock for one look-up.
final class CallStatistics: Sendable {
    /// Upper bounds of the buckets in seconds: from an answer out of memory to a pull.
    static let bounds = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
    ]
    /// Whatever is no method of the CRI: a client cannot make series.
    private static let other = "other"

    private struct Series: Hashable {
        var method: String
        var code: GRPCStatus.Code
    }

    private struct Counts {
        /// One for each bound, and one for what is beyond.
        var buckets = [UInt64](repeating: 0, count: bounds.count + 1)
        var seconds = 0.0
        var calls: UInt64 = 0

        mutating func add(_ seconds: Double, to bucket: Int) {
            buckets[bucket] += 1
            self.seconds += seconds
            calls += 1
        }
    }

    private let methods: [String: String]
    private let counts = Mutex<[Series: Counts]>([:])

    init() {
        methods = Dictionary(uniqueKeysWithValues: CRIMethods.all.map { ($0.path, $0.name) })
    }

    func note(_ report: CallReport) {
        let series = Series(method: methods[report.path] ?? Self.other, code: report.status.code)
        let seconds = Double(report.duration.microseconds) / 1_000_000
        let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
        counts.withLock { $0[series, default: Counts()].add(seconds, to: bucket) }
    }

    func write(to page: inout MetricsText) {
        let name = "swiftlet_rpc_duration_seconds"
        page.family(name, .histogram, "Time from a call's request to its end, streams included.")
        let all = counts.withLock { $0 }.map { (method: $0.key.method, code: "\($0.key.code)", counts: $0.value) }
        for (method, code, counts) in all.sorted(by: { ($0.method, $0.code) < ($1.method, $1.code) }) {
            let labels = [("method", method), ("code", code)]
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
