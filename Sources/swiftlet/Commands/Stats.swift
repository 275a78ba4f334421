import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Stats: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what containers use of processors, memory and disk.",
        usage: "swiftlet stats [OPTIONS] [CONTAINER]")

    @Argument(help: "The container's id or the beginning of it.", completion: .containers)
    var container: String?

    @Option(help: "Only the container with this id or beginning of an id.", completion: .containers)
    var id: String?

    @Option(
        name: .shortAndLong, help: "Only containers of the pod with this id or beginning of an id.", completion: .pods)
    var pod: String?

    @Option(parsing: .singleValue, help: "Only containers with this label, KEY=VALUE. May be repeated.")
    var label: [String] = []

    @Flag(name: .shortAndLong, help: "Show containers in every state.")
    var all = false

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: "Seconds between the two samples that the use of processors is taken from.")
    var seconds = 1

    @OptionGroup var output: Output<TableFirst>

    @OptionGroup var watch: Watch

    func validate() throws {
        if container != nil, id != nil { throw ValidationError("expected either CONTAINER or --id") }
        try UsageRate.check(seconds, watches: watch.watch)
    }

    func run(_ session: Session) async throws {
        let request = try await request(session)
        try await watch.show(on: session.console, every: seconds, beginsWithTwo: output.isTable) {
            try await sample(request, session)
        } text: { last, earlier in
            if output.isTable { return table(last, since: earlier) }
            return try output.text(JSONValue(message: Runtime_V1_ListContainerStatsResponse.with { $0.stats = last }))
        }
    }

    private func table(_ samples: [Runtime_V1_ContainerStats], since before: [Runtime_V1_ContainerStats]) -> String {
        let earlier = Dictionary(before.map { ($0.attributes.id, $0.cpu) }) { $1 }
        let more = ["CPU PSI", "MEM PSI", "IO PSI", "RSS", "MAJOR FAULTS"]
        var table = Table(
            ["CONTAINER", "NAME", "CPU %", "MEM", "DISK", "INODES", "SWAP"] + (output.isWide ? more : []))
        for stats in samples {
            var row = [
                shortID(stats.attributes.id), stats.attributes.metadata.name,
                UsageRate.text(earlier[stats.attributes.id], stats.cpu),
                stats.memory.hasWorkingSetBytes ? sizeText(stats.memory.workingSetBytes.value) : "-",
                sizeText(stats.writableLayer.usedBytes.value), String(stats.writableLayer.inodesUsed.value),
                stats.swap.hasSwapUsageBytes ? sizeText(stats.swap.swapUsageBytes.value) : "-",
            ]
            if output.isWide {
                row += [
                    Pressure.text(stats.cpu.hasPsi ? stats.cpu.psi : nil),
                    Pressure.text(stats.memory.hasPsi ? stats.memory.psi : nil),
                    Pressure.text(stats.io.hasPsi ? stats.io.psi : nil),
                    stats.memory.hasRssBytes ? sizeText(stats.memory.rssBytes.value) : "-",
                    stats.memory.hasMajorPageFaults ? String(stats.memory.majorPageFaults.value) : "-",
                ]
            }
            table.add(row)
        }
        return table.text
    }

    private func request(_ session: Session) async throws -> Runtime_V1_ListContainerStatsRequest {
        var filter = Runtime_V1_ContainerStatsFilter()
        filter.labelSelector = try parseLabels(label)
        if let prefix = container ?? id { filter.id = try await session.containerID(prefix) }
        if let pod, let full = try await session.podIDs([pod]).first { filter.podSandboxID = full }
        return .with { $0.filter = filter }
    }

    /// Sorted by name; a container that does not run uses no processor and is shown on demand only.
    private func sample(
        _ request: Runtime_V1_ListContainerStatsRequest, _ session: Session
    ) async throws -> [Runtime_V1_ContainerStats] {
        let stats = try await session.runtime.call(
            CRIMethods.listContainerStats, request, within: session.quick, to: "list container statistics"
        ).stats
        return stats.filter { all || $0.cpu.usageCoreNanoSeconds.value > 0 }
            .sorted {
                ($0.attributes.metadata.name, $0.attributes.id) < ($1.attributes.metadata.name, $1.attributes.id)
            }
    }
}

/// The use of processors between two samples.
enum UsageRate {
    static func check(_ seconds: Int, watches: Bool) throws {
        if watches, seconds == 0 { throw ValidationError("--watch needs --seconds of 1 or more") }
        guard (0...3600).contains(seconds) else {
            throw ValidationError("--seconds \(seconds): expected 0 to 3600")
        }
    }

    /// Hundredths of one processor; "-" where two samples of one process do not exist.
    static func text(_ before: Runtime_V1_CpuUsage?, _ after: Runtime_V1_CpuUsage) -> String {
        hundredths(before, after).map { decimal($0, places: 2) } ?? "-"
    }

    /// Nil where two samples of one process do not exist.
    static func hundredths(_ before: Runtime_V1_CpuUsage?, _ after: Runtime_V1_CpuUsage) -> Double? {
        guard let before, after.timestamp > before.timestamp,
            after.usageCoreNanoSeconds.value >= before.usageCoreNanoSeconds.value
        else { return nil }
        let used = Double(after.usageCoreNanoSeconds.value - before.usageCoreNanoSeconds.value)
        return used / (Double(after.timestamp) - Double(before.timestamp)) * 100
    }
}

/// How much of the last ten seconds at least one task waited for something (Documentation/accounting/psi.rst).
enum Pressure {
    static func text(_ stats: Runtime_V1_PsiStats?) -> String {
        guard let stats else { return "-" }
        return decimal(stats.some.avg10, places: 2) + "%"
    }
}
