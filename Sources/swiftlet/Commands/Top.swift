import ArgumentParser
import CLICore
import CRIProto
import GRPC
import SwiftProtobuf

struct Top: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show which pods and containers use the most, again and again.",
        usage: "swiftlet top [OPTIONS]",
        discussion: """
            On a terminal the keys c, m, i and n sort by processor, memory, bytes to and from disks (waiting for them where \
            those are not known) and name; q ends. Elsewhere a table is written for each sample. Processor time is in \
            hundredths of one processor; PSI is how much of the last ten seconds at least one task waited, in hundredths. \
            Bytes read and written come from the runtime's metrics, where it has them, and less often: asking takes at \
            most half a hundredth of the time. What a runtime does not tell is "-".
            """)

    @Option(name: .shortAndLong, help: "Sort by cpu, memory, io or name.")
    var sort = TopOrder.cpu

    @Option(name: .shortAndLong, help: "Only the pod with this id or beginning of an id.", completion: .pods)
    var pod: String?

    @Flag(help: "Show containers alone, without their pods.")
    var containers = false

    @Option(parsing: .unconditional, help: "Seconds from one sample to the next (default: 3, with --once 1).")
    var seconds: Int?

    @Flag(help: "Show two samples' difference once, and end.")
    var once = false

    @Option(name: .shortAndLong, help: "The format: table or json, an object a line.")
    var output = Format.table

    enum Format: String, ExpressibleByArgument, CaseIterable, Sendable { case table, json }

    func validate() throws {
        guard let seconds else { return }
        guard (1...3600).contains(seconds) else {
            throw ValidationError("--seconds \(seconds): expected 1 to 3600")
        }
    }

    func run(_ session: Session) async throws {
        var podID: String?
        if let pod { podID = try await session.podIDs([pod]).first }
        let chosen = podID
        let meter = DiskMeter {
            try await session.runtime.call(
                CRIMethods.listPodSandboxMetrics, .init(), within: session.quick, to: "list pod metrics")
        }
        let sample = { @Sendable in
            var sample = try await session.topSample(of: chosen)
            sample.disks = await meter.current()
            return sample
        }
        let console = session.console
        // As top(1): a node with a hundred pods is asked without its noticing.
        let seconds = seconds ?? (once ? 1 : 3)
        if console.outputIsTerminal, !once, output == .table {
            return try await TopScreen(console: console, seconds: seconds, isFlat: containers)
                .run(by: sort, sample: sample)
        }
        var earlier = try await sample()
        repeat {
            try await Task.sleep(for: .seconds(seconds))
            let last = try await sample()
            let rows = TopTable.rows(last.groups(since: earlier), by: sort, isFlat: containers)
            earlier = last
            switch output {
            case .json: try console.line(Self.json(rows).compact)
            case .table:
                try console.out(TopTable.lines(rows, size: nil, isFlat: containers).map { $0 + "\n" }.joined())
            }
        } while !once
    }

    /// What is not known is not there.
    static func json(_ rows: [TopRow]) -> JSONValue {
        func member(_ name: String, _ value: JSONValue?) -> [JSONValue.Member] {
            value.map { [JSONValue.Member(name, $0)] } ?? []
        }
        let items = rows.map { row in
            JSONValue.object(
                member("kind", .string(row.kind == .pod ? "pod" : "container")) + member("id", .string(row.id))
                    + member("name", .string(row.name))
                    + member("cpuPercent", row.cpu.map { .number(decimal($0, places: 3)) })
                    + member("memoryBytes", row.memory.map { .number(String($0)) })
                    + member("memoryLimitBytes", row.limit.map { .number(String($0)) })
                    + member("processes", row.processes.map { .number(String($0)) })
                    + member("readBytesPerSecond", row.disk.map { .number(decimal($0.read, places: 0)) })
                    + member("writtenBytesPerSecond", row.disk.map { .number(decimal($0.written, places: 0)) })
                    + member("cpuPressure", row.cpuPressure.map { .number(decimal($0, places: 3)) })
                    + member("memoryPressure", row.memoryPressure.map { .number(decimal($0, places: 3)) })
                    + member("ioPressure", row.ioPressure.map { .number(decimal($0, places: 3)) }))
        }
        return .object(member("items", .array(items)))
    }
}

extension Session {
    /// What pods use, with their containers; containers alone where the runtime has no statistics of pods.
    fileprivate func topSample(of podID: String?) async throws -> TopSample {
        do {
            let request = Runtime_V1_ListPodSandboxStatsRequest.with { if let podID { $0.filter.id = podID } }
            let response = try await runtime.call(
                CRIMethods.listPodSandboxStats, request, within: quick, to: "list pod statistics")
            return TopSample(pods: response.stats)
        } catch {
            guard error.code == .unimplemented || error.code == .unknown else { throw error }
            return TopSample(containers: try await containerSample(of: podID))
        }
    }

    private func containerSample(of podID: String?) async throws -> [Runtime_V1_ContainerStats] {
        let request = Runtime_V1_ListContainerStatsRequest.with { if let podID { $0.filter.podSandboxID = podID } }
        return try await runtime.call(
            CRIMethods.listContainerStats, request, within: quick, to: "list container statistics"
        ).stats
    }
}
