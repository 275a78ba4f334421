import Lifecycle
import Synchronization

/// How long the parts of a pod's and a container's start took. Counted as each ends: also where its client has left.
final class StageStatistics: OperationObserver, MetricsSource {
    /// From a file that is written to a network plugin that hangs.
    static let bounds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    /// The operations that count. With the stages, which are a fixed set too, that bounds the series.
    static let operations: Set<String> = ["RunPodSandbox", "CreateContainer", "StartContainer"]

    private struct Series: Hashable {
        var operation: String
        var stage: StageName
    }

    private let histograms = Mutex<[Series: Histogram]>([:])

    func stageEnded(_ stage: OperationRecord.Stage, of operation: String) {
        guard Self.operations.contains(operation) else { return }
        let series = Series(operation: operation, stage: stage.name)
        histograms.withLock {
            $0[series, default: Histogram(bounds: Self.bounds)].add(Double(stage.duration) / 1e9)
        }
    }

    func ended(_ record: OperationRecord) {}

    func write(to page: inout MetricsText) {
        let name = "swiftlet_start_stage_duration_seconds"
        page.family(
            name, .histogram,
            "Time of the parts of RunPodSandbox, CreateContainer and StartContainer. Some are within others: plugin in network, "
                + "birth and connection in supervisor, description and plan in trial_plan.")
        let all = histograms.withLock { $0 }.map { (method: $0.key.operation, stage: $0.key.stage.label, $0.value) }
        for (method, stage, histogram) in all.sorted(by: { ($0.method, $0.stage) < ($1.method, $1.stage) }) {
            histogram.write(name, [("method", method), ("stage", stage)], to: &page)
        }
    }
}

extension StageName {
    /// Its name as a label's value.
    var label: String { String(rawValue.filter { $0 != "'" }.map { $0 == " " ? "_" : $0 }) }
}
