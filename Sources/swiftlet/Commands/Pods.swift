import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Pods: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "List pods.",
        usage: "swiftlet pods [OPTIONS]")

    @OptionGroup var selection: PodSelection

    @Flag(name: .shortAndLong, help: "Print ids only.")
    var quiet = false

    @Flag(help: "Show ids in full.")
    var noTrunc = false

    @Flag(name: .shortAndLong, help: "Show what there is to each pod, one below the other.")
    var verbose = false

    @OptionGroup var output: Output<TableFirst>

    func run(_ session: Session) async throws {
        let pods = try await selection.select(session)
        if !output.isTable {
            let response = Runtime_V1_ListPodSandboxResponse.with { $0.items = pods }
            try session.console.out(output.text(JSONValue(message: response)))
        } else if quiet {
            for pod in pods { try session.console.line(printable(pod.id)) }
        } else if verbose {
            for status in try await statuses(pods, session) {
                let sheet = PodSheet(status, now: session.console.now(), verbose: false)
                try session.console.out(sheet.text + "\n")
            }
        } else {
            let details = output.isWide ? try await statuses(pods, session) : []
            try session.console.out(table(pods, details, now: session.console.now()))
        }
    }

    /// In the order of the pods.
    private func statuses(
        _ pods: [Runtime_V1_PodSandbox], _ session: Session
    ) async throws -> [Runtime_V1_PodSandboxStatusResponse] {
        try await session.each(pods.map(\.id)) { try await session.podStatus($0) }
    }

    private func table(
        _ pods: [Runtime_V1_PodSandbox], _ details: [Runtime_V1_PodSandboxStatusResponse], now: UnixNanoseconds
    ) -> String {
        let header = ["POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"]
        var table = Table(header + (output.isWide ? ["IP", "UID"] : []))
        for (index, pod) in pods.enumerated() {
            var row = [
                noTrunc ? pod.id : shortID(pod.id), agoText(pod.createdAt, now: now), pod.state.word, pod.metadata.name,
                pod.metadata.namespace, String(pod.metadata.attempt),
                pod.runtimeHandler.isEmpty ? "(default)" : pod.runtimeHandler,
            ]
            if output.isWide {
                let addresses = details[index].status.addresses
                row += [addresses.isEmpty ? "-" : addresses.joined(separator: ","), pod.metadata.uid]
            }
            table.add(row)
        }
        return table.text
    }
}
