import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Stop: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop running containers.",
        usage: "swiftlet stop [-t SECONDS] CONTAINER ... | --all")

    @Argument(help: "Ids of containers, or beginnings of them.", completion: .containers)
    var containers: [String] = []

    @Option(name: .shortAndLong, parsing: .unconditional, help: "Seconds between the stop signal and SIGKILL.")
    var timeout: Int64 = 0

    @Flag(name: .shortAndLong, help: "Stop all running containers.")
    var all = false

    func validate() throws {
        if containers.isEmpty != all { throw ValidationError("expected either containers or --all") }
        if timeout < 0 || timeout > 1_000_000 {
            throw ValidationError("--timeout \(timeout): expected 0 or more seconds")
        }
    }

    func run(_ session: Session) async throws {
        let running = Runtime_V1_ContainerFilter.with { $0.state.state = .containerRunning }
        let ids = all ? try await session.containers(running).map(\.id) : try await session.containerIDs(containers)
        let grace = timeout
        try await session.forEach(ids) { id in
            try await session.stopContainer(id, grace: grace)
            try session.console.line(id)
        }
    }
}
