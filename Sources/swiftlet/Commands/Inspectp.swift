import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Inspectp: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show all that is known of pods.",
        usage: "swiftlet inspectp [OPTIONS] POD ...")

    @Argument(help: "Ids of pods, or beginnings of them.")
    var pods: [String]

    @Option(name: .shortAndLong, help: "The format: json, yaml or table.")
    var output = OutputFormat.json

    @Flag(name: .shortAndLong, help: "Leave out the verbose part.")
    var quiet = false

    func run(_ session: Session) async throws {
        var results: [JSONValue] = []
        for id in try await session.podIDs(pods) {
            let request = Runtime_V1_PodSandboxStatusRequest.with {
                $0.podSandboxID = id
                $0.verbose = !quiet
            }
            let response = try await session.runtime.call(
                CRIMethods.podSandboxStatus, request, within: session.quick, to: "look up pod \"\(id)\"")
            if output == .table {
                try session.console.out(PodSheet(response, now: session.console.now(), verbose: !quiet).text)
            } else {
                results.append(try InspectTree.tree(response.status, response.info))
            }
        }
        if !results.isEmpty { try session.console.out(output.text(InspectTree.list(results))) }
    }
}
