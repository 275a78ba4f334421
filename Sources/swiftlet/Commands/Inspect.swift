import ArgumentParser
import CLICore
import CRIProto

struct Inspect: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show all that is known of containers.",
        usage: "swiftlet inspect [OPTIONS] CONTAINER ... | --name NAME | --pod POD | ...")

    @Argument(help: "Ids of containers, or beginnings of them.", completion: .containers)
    var containers: [String] = []

    @OptionGroup(title: "Choosing containers") var selection: ContainerListing

    @OptionGroup var output: Output<JSONFirst>

    @Flag(name: .shortAndLong, help: "Leave out the verbose part.")
    var quiet = false

    @Flag(help: "Show only the launch plan: the kernel operations by which the container was made.")
    var plan = false

    func validate() throws {
        if containers.isEmpty != selection.isGiven {
            throw ValidationError("expected either containers or flags that choose some")
        }
        if plan, quiet || output.isTable { throw ValidationError("--plan goes with neither --quiet nor -o table") }
    }

    func run(_ session: Session) async throws {
        var results: [JSONValue] = []
        for id in try await ids(session) {
            let response = try await session.containerStatus(id, verbose: !quiet)
            if plan {
                guard let text = response.info["plan"] else {
                    throw Failure(
                        "container \"\(id)\": the runtime shows no launch plan; it is made when a container starts")
                }
                results.append(VerboseInfo.value(text))
            } else if output.isTable {
                try session.console.out(ContainerSheet(response, now: session.console.now(), verbose: !quiet).text)
            } else {
                results.append(try InspectTree.tree(response.status, response.info))
            }
        }
        if !results.isEmpty { try session.console.out(output.text(InspectTree.list(results))) }
    }

    private func ids(_ session: Session) async throws -> [String] {
        guard containers.isEmpty else { return try await session.containerIDs(containers) }
        return try await selection.select(session, needsOwners: false).containers.map(\.id)
    }
}
