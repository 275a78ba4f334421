import Lifecycle
import Logging

extension Daemon {
    /// How long spans may still take when the daemon ends.
    static let tracingGrace = Duration.seconds(2)

    /// Nil unless the configuration names a collector.
    func startTracing(_ runtime: Runtime, host: String, _ log: Logger) throws -> TraceExporter? {
        guard let endpoint = try config.tracingEndpoint() else { return nil }
        let exporter = TraceExporter(to: endpoint, builder: SpanBuilder(host: host), log: log)
        exporter.start()
        runtime.operations.add(exporter)
        return exporter
    }
}
