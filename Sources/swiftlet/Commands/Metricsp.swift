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
        var isFirst = true
        try await watch.show(on: session.console) {
            if !isFirst { try await Task.sleep(for: .seconds(1)) }
            isFirst = false
            return try await text(session)
        }
    }

    private func text(_ session: Session) async throws -> String {
        let response = try await session.runtime.call(
            CRIMethods.listPodSandboxMetrics, .init(), within: session.quick, to: "list pod metrics")
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
