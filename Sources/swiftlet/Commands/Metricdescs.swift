import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Metricdescs: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Describe the metrics that the runtime has of pods and containers.",
        usage: "swiftlet metricdescs [-o FORMAT]")

    @OptionGroup var output: Output<JSONFirst>

    func run(_ session: Session) async throws {
        let response = try await session.runtime.call(
            CRIMethods.listMetricDescriptors, .init(), within: session.quick, to: "list metric descriptors")
        guard output.isTable else { return try session.console.out(output.text(JSONValue(message: response))) }
        var table = Table(["NAME", "LABELS", "HELP"])
        for metric in response.descriptors {
            table.add([metric.name, metric.labelKeys.joined(separator: ","), metric.help])
        }
        try session.console.out(table.text)
    }
}
