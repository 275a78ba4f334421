import ArgumentParser
import CLICore

struct Start: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start created containers.",
        usage: "swiftlet start CONTAINER ...")

    @Argument(help: "Ids of containers, or beginnings of them.", completion: .containers)
    var containers: [String]

    func run(_ session: Session) async throws {
        try await session.forEach(try await session.containerIDs(containers)) { id in
            try await session.startContainer(id)
            try session.console.line(id)
        }
    }
}
