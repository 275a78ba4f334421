import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Inspectp: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show all that is known of pods.",
        usage: "swiftlet inspectp [OPTIONS] POD ... | --name NAME | --label LABEL | ...")

    @Argument(help: "Ids of pods, or beginnings of them.", completion: .pods)
    var pods: [String] = []

    @OptionGroup(title: "Choosing pods") var selection: PodSelection

    @OptionGroup var output: Output<JSONFirst>

    @Flag(name: .shortAndLong, help: "Leave out the verbose part.")
    var quiet = false

    func validate() throws {
        if pods.isEmpty != selection.isGiven {
            throw ValidationError("expected either pods or flags that choose some")
        }
    }

    func run(_ session: Session) async throws {
        var results: [JSONValue] = []
        for id in try await ids(session) {
            let response = try await session.podStatus(id, verbose: !quiet)
            if output.isTable {
                try session.console.out(PodSheet(response, now: session.console.now(), verbose: !quiet).text)
            } else {
                results.append(try InspectTree.tree(response.status, response.info))
            }
        }
        if !results.isEmpty { try session.console.out(output.text(InspectTree.list(results))) }
    }

    private func ids(_ session: Session) async throws -> [String] {
        guard pods.isEmpty else { return try await session.podIDs(pods) }
        return try await selection.select(session).map(\.id)
    }
}

extension Session {
    /// The state of a pod.
    func podStatus(_ id: String, verbose: Bool = false) async throws -> Runtime_V1_PodSandboxStatusResponse {
        let request = Runtime_V1_PodSandboxStatusRequest.with {
            $0.podSandboxID = id
            $0.verbose = verbose
        }
        return try await runtime.call(
            CRIMethods.podSandboxStatus, request, within: quick, to: "look up pod \"\(id)\"")
    }
}

extension Runtime_V1_PodSandboxStatus {
    /// The pod's addresses, the first one first.
    var addresses: [String] { ([network.ip] + network.additionalIps.map(\.ip)).filter { !$0.isEmpty } }
}
