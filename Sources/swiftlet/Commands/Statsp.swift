import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Statsp: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what pods use of processors and memory.",
        usage: "swiftlet statsp [OPTIONS] [POD]")

    @Argument(help: "The pod's id or the beginning of it.", completion: .pods)
    var pod: String?

    @Option(help: "Only the pod with this id or beginning of an id.", completion: .pods)
    var id: String?

    @Option(parsing: .singleValue, help: "Only pods with this label, KEY=VALUE. May be repeated.")
    var label: [String] = []

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: "Seconds between the two samples that the use of processors is taken from.")
    var seconds = 1

    @OptionGroup var output: Output<TableFirst>

    @OptionGroup var watch: Watch

    func validate() throws {
        if pod != nil, id != nil { throw ValidationError("expected either POD or --id") }
        try UsageRate.check(seconds, watches: watch.watch)
    }

    func run(_ session: Session) async throws {
        var filter = Runtime_V1_PodSandboxStatsFilter()
        filter.labelSelector = try parseLabels(label)
        if let prefix = pod ?? id, let full = try await session.podIDs([prefix]).first { filter.id = full }
        let request = Runtime_V1_ListPodSandboxStatsRequest.with { $0.filter = filter }
        try await watch.show(on: session.console, every: seconds, beginsWithTwo: output.isTable) {
            try await sample(request, session)
        } text: { last, earlier in
            if output.isTable { return table(last, since: earlier) }
            return try output.text(JSONValue(message: Runtime_V1_ListPodSandboxStatsResponse.with { $0.stats = last }))
        }
    }

    private func table(_ samples: [Runtime_V1_PodSandboxStats], since before: [Runtime_V1_PodSandboxStats]) -> String {
        let earlier = Dictionary(before.map { ($0.attributes.id, $0.linux.cpu) }) { $1 }
        let more = ["CONTAINERS", "RECEIVED", "SENT", "CPU PSI", "MEM PSI", "IO PSI"]
        var table = Table(["POD", "POD ID", "CPU %", "MEM", "PIDS"] + (output.isWide ? more : []))
        for stats in samples {
            let (cpu, memory, io) = (stats.linux.cpu, stats.linux.memory, stats.linux.io)
            var row = [
                stats.attributes.metadata.name, shortID(stats.attributes.id),
                UsageRate.text(earlier[stats.attributes.id], cpu),
                memory.hasWorkingSetBytes ? sizeText(memory.workingSetBytes.value) : "-",
                stats.linux.process.hasProcessCount ? String(stats.linux.process.processCount.value) : "-",
            ]
            if output.isWide {
                let network = stats.linux.network.defaultInterface
                row += [
                    String(stats.linux.containers.count),
                    network.hasRxBytes ? sizeText(network.rxBytes.value) : "-",
                    network.hasTxBytes ? sizeText(network.txBytes.value) : "-",
                    Pressure.text(cpu.hasPsi ? cpu.psi : nil), Pressure.text(memory.hasPsi ? memory.psi : nil),
                    Pressure.text(io.hasPsi ? io.psi : nil),
                ]
            }
            table.add(row)
        }
        return table.text
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
