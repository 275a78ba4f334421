import ArgumentParser
import CLICore
import CRIProto
import GRPC
import SwiftProtobuf
import SwiftletAPI

struct Trace: RuntimeCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable, Sendable {
        case text, json, chrome, svg, html
    }

    static let configuration = CommandConfiguration(
        abstract: "Show where the time of operations on pods and containers went.",
        usage: "swiftlet trace [OPTIONS] [ID]",
        discussion: """
            Without an id the last operations in a table; with a pod's or container's id, or a unique beginning of it, each \
            operation with a bar for each of its parts. The daemon keeps the last operations in memory, also of pods that \
            are gone, until it ends. -o chrome is for chrome://tracing and ui.perfetto.dev, -o svg and -o html are a picture.
            """)

    @Argument(help: "A pod's or container's id, or a unique beginning of it.", completion: .subjects)
    var id: String?

    @Flag(help: "The newest pod.")
    var last = false

    @Option(name: .shortAndLong, help: "The format: text, json, chrome, svg or html.")
    var output = Format.text

    func validate() throws {
        if last, id != nil { throw ValidationError("--last goes without an id") }
    }

    func run(_ session: Session) async throws {
        var operations = try await session.operations(id ?? "")
        if last, let pod = operations.last(where: { $0.name == "RunPodSandbox" })?.podID ?? operations.last?.podID {
            operations.removeAll { $0.podID != pod }
        }
        guard !operations.isEmpty else {
            let of = id.map { " on a pod or container \"\(printable($0))\"" } ?? ""
            throw Failure("the daemon keeps no operation\(of): it has seen none since it started")
        }
        switch output {
        case .json: try session.console.line(OperationTree.json(operations).pretty)
        case .chrome: try session.console.line(OperationTree.chrome(operations).pretty)
        case .svg: try session.console.out(Timeline(operations).svg)
        case .html: try session.console.out(Timeline(operations).html)
        case .text where id == nil && !last:
            try session.console.out(OperationTable.text(operations, now: session.console.now()))
        case .text:
            let columns = session.console.size()?.columns ?? 100
            let chart = OperationChart(columns: columns, colours: session.console.hasColours)
            try session.console.out(chart.text(operations))
        }
    }
}

extension Session {
    /// What the daemon keeps of its operations; a runtime that is not Swiftlet is told so.
    func operations(_ id: String) async throws -> [Swiftlet_V1_Operation] {
        do {
            return try await runtime.call(
                NodeMethods.listOperations, .with { $0.id = id }, within: quick, to: "list operations"
            ).operations
        } catch {
            guard error.code == .unimplemented else { throw error }
            throw Failure("this runtime does not keep where its time went: it is not Swiftlet, or an older one")
        }
    }
}
