import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Metricsp: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the metrics of pods and their containers.",
        usage: "swiftlet metricsp [-o FORMAT]")

    @OptionGroup var output: Output<JSONFirst>

    @OptionGroup var watch: Watch

    func run(_ session: Session) async throws {
        try await watch.show(on: session.console, every: 1, beginsWithTwo: false) {
            try await session.runtime.call(
                CRIMethods.listPodSandboxMetrics, .init(), within: session.quick, to: "list pod metrics")
        } text: { last, _ in
            try text(last)
        }
    }

    private func text(_ response: Runtime_V1_ListPodSandboxMetricsResponse) throws -> String {
        guard output.isTable else { return try output.text(JSONValue(message: response)) }
        var table = Table(["POD ID", "CONTAINER", "METRIC", "LABELS", "VALUE"])
        for pod in response.podMetrics {
            let id = shortID(pod.podSandboxID)
            for metric in pod.metrics { table.add([id, ""] + metric.cells) }
            for container in pod.containerMetrics {
                for metric in container.metrics { table.add([id, shortID(container.containerID)] + metric.cells) }
            }
        }
        return table.text
    }
}

extension Runtime_V1_Metric {
    fileprivate var cells: [String] { [name, labelValues.joined(separator: ","), String(value.value)] }
}
