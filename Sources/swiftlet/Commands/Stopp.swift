import ArgumentParser
import CLICore

struct Stopp: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop pods and all that runs in them.",
        usage: "swiftlet stopp POD ...")

    @Argument(help: "Ids of pods, or beginnings of them.", completion: .pods)
    var pods: [String]

    func run(_ session: Session) async throws {
        try await session.forEach(try await session.podIDs(pods)) { id in
            try await session.stopPod(id)
            try session.console.line("Stopped sandbox \(id)")
        }
    }
}
