import CRIProto
import GRPC
import Synchronization

/// How long calls took, by method and by how they ended. A call is noted on its connection's thread: it makes no text and holds
/// one lock for one look-up.
final class CallStatistics: MetricsSource {
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

    private let methods: [String: String]
    private let histograms = Mutex<[Series: Histogram]>([:])

    init() {
        methods = Dictionary(uniqueKeysWithValues: CRIMethods.all.map { ($0.path, $0.name) })
    }

    func note(_ report: CallReport) {
        let series = Series(method: methods[report.path] ?? Self.other, code: report.status.code)
        let seconds = Double(report.duration.microseconds) / 1_000_000
        histograms.withLock { $0[series, default: Histogram(bounds: Self.bounds)].add(seconds) }
    }

    func write(to page: inout MetricsText) {
        let name = "swiftlet_rpc_duration_seconds"
        page.family(name, .histogram, "Time from a call's request to its end, streams included.")
        let all = histograms.withLock { $0 }.map { (method: $0.key.method, code: "\($0.key.code)", $0.value) }
        for (method, code, histogram) in all.sorted(by: { ($0.method, $0.code) < ($1.method, $1.code) }) {
            histogram.write(name, [("method", method), ("code", code)], to: &page)
        }
    }
}
