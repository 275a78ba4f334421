import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Pods: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "List pods.",
        usage: "swiftlet pods [OPTIONS]")

    @Option(help: "Only the pod with this id or beginning of an id.")
    var id: String?

    @Option(help: "Only pods whose name fits this regular expression.")
    var name: String?

    @Option(help: "Only pods whose namespace fits this regular expression.")
    var namespace: String?

    @Option(parsing: .singleValue, help: "Only pods with this label, KEY=VALUE. May be repeated.")
    var label: [String] = []

    @Option(name: .shortAndLong, help: "Only pods in this state: ready or notready.")
    var state: String?

    @Flag(name: .shortAndLong, help: "Only the pod that was made last.")
    var latest = false

    @Option(name: [.customShort("n"), .long], help: "Only the pods made last, this many; 0 shows all.")
    var last: Int?

    @Flag(name: .shortAndLong, help: "Print ids only.")
    var quiet = false

    @Flag(help: "Show ids in full.")
    var noTrunc = false

    @Option(name: .shortAndLong, help: "The format: table, json or yaml.")
    var output = OutputFormat.table

    func run(_ session: Session) async throws {
        let pods = try await select(session)
        if quiet {
            for pod in pods { try session.console.line(printable(pod.id)) }
        } else if output == .table {
            try session.console.out(table(pods, now: session.console.now()))
        } else {
            let response = Runtime_V1_ListPodSandboxResponse.with { $0.items = pods }
            try session.console.out(output.text(JSONValue(message: response)))
        }
    }

    private func select(_ session: Session) async throws -> [Runtime_V1_PodSandbox] {
        var filter = Runtime_V1_PodSandboxFilter()
        filter.labelSelector = try parseLabels(label)
        if let state { filter.state.state = try parsePodState(state) }
        let names = try NamePattern(name, flag: "--name")
        let namespaces = try NamePattern(namespace, flag: "--namespace")
        let limit = try countLimit(latest: latest, last: last)
        let pods = try await session.pods(filter).filter { pod in
            pod.id.hasPrefix(id ?? "") && names.matches(pod.metadata.name) && namespaces.matches(pod.metadata.namespace)
        }
        return Array(pods.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }.prefix(limit ?? pods.count))
    }

    private func table(_ pods: [Runtime_V1_PodSandbox], now: UnixNanoseconds) -> String {
        var table = Table(["POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"])
        for pod in pods {
            table.add([
                noTrunc ? pod.id : shortID(pod.id), agoText(pod.createdAt, now: now), pod.state.word, pod.metadata.name,
                pod.metadata.namespace, String(pod.metadata.attempt),
                pod.runtimeHandler.isEmpty ? "(default)" : pod.runtimeHandler,
            ])
        }
        return table.text
    }
}
