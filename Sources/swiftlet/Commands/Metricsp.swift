import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Metricsp: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the metrics of pods and their containers.",
        usage: "swiftlet metricsp [-o FORMAT]")

    @Option(name: .shortAndLong, help: "The format: json, yaml or table.")
    var output = OutputFormat.json

    func run(_ session: Session) async throws {
        let response = try await session.runtime.call(
            CRIMethods.listPodSandboxMetrics, .init(), within: session.quick, to: "list pod metrics")
        guard output == .table else { return try session.console.out(output.text(JSONValue(message: response))) }
        var table = Table(["POD ID", "CONTAINER", "METRIC", "LABELS", "VALUE"])
        for pod in response.podMetrics {
            let id = shortID(pod.podSandboxID)
            for metric in pod.metrics { table.add([id, ""] + metric.cells) }
            for container in pod.containerMetrics {
                for metric in container.metrics { table.add([id, shortID(container.containerID)] + metric.cells) }
            }
        }
        try session.console.out(table.text)
    }
}

extension Runtime_V1_Metric {
    fileprivate var cells: [String] { [name, labelValues.joined(separator: ","), String(value.value)] }
}
