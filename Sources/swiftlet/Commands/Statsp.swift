import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Statsp: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what pods use of processors and memory.",
        usage: "swiftlet statsp [OPTIONS] [POD]")

    @Argument(help: "The pod's id or the beginning of it.")
    var pod: String?

    @Option(help: "Only the pod with this id or beginning of an id.")
    var id: String?

    @Option(parsing: .singleValue, help: "Only pods with this label, KEY=VALUE. May be repeated.")
    var label: [String] = []

    @Option(name: .shortAndLong, help: "Seconds between the two samples that the use of processors is taken from.")
    var seconds = 1

    @Option(name: .shortAndLong, help: "The format: table, json or yaml.")
    var output = OutputFormat.table

    func validate() throws {
        if pod != nil, id != nil { throw ValidationError("expected either POD or --id") }
        try UsageRate.check(seconds)
    }

    func run(_ session: Session) async throws {
        var filter = Runtime_V1_PodSandboxStatsFilter()
        filter.labelSelector = try parseLabels(label)
        if let prefix = pod ?? id, let full = try await session.podIDs([prefix]).first { filter.id = full }
        let request = Runtime_V1_ListPodSandboxStatsRequest.with { $0.filter = filter }
        let before = try await sample(request, session)
        guard output == .table else {
            let response = Runtime_V1_ListPodSandboxStatsResponse.with { $0.stats = before }
            return try session.console.out(output.text(JSONValue(message: response)))
        }
        let earlier = Dictionary(before.map { ($0.attributes.id, $0.linux.cpu) }) { $1 }
        try await Task.sleep(for: .seconds(seconds))
        var table = Table(["POD", "POD ID", "CPU %", "MEM", "PIDS"])
        for stats in try await sample(request, session) {
            table.add([
                stats.attributes.metadata.name, shortID(stats.attributes.id),
                UsageRate.text(earlier[stats.attributes.id], stats.linux.cpu),
                sizeText(stats.linux.memory.workingSetBytes.value), String(stats.linux.process.processCount.value),
            ])
        }
        try session.console.out(table.text)
    }

    private func sample(
        _ request: Runtime_V1_ListPodSandboxStatsRequest, _ session: Session
    ) async throws -> [Runtime_V1_PodSandboxStats] {
        let stats = try await session.runtime.call(
            CRIMethods.listPodSandboxStats, request, within: session.quick, to: "list pod statistics"
        ).stats
        return stats.sorted {
            ($0.attributes.metadata.name, $0.attributes.id) < ($1.attributes.metadata.name, $1.attributes.id)
        }
    }
}
