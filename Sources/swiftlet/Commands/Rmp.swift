import ArgumentParser
import CLICore
import CRIProto

struct Rmp: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove pods and all that is in them.",
        usage: "swiftlet rmp [-f] POD ... | --all")

    @Argument(help: "Ids of pods, or beginnings of them.", completion: .pods)
    var pods: [String] = []

    @Flag(name: .shortAndLong, help: "Stop those that are still ready.")
    var force = false

    @Flag(name: .shortAndLong, help: "Remove all pods.")
    var all = false

    func validate() throws {
        if pods.isEmpty != all { throw ValidationError("expected either pods or --all") }
    }

    func run(_ session: Session) async throws {
        let known = try await session.pods()
        let ids = all ? known.map(\.id) : try await session.podIDs(pods)
        let ready = Set(known.filter { $0.state == .sandboxReady }.map(\.id))
        let force = force
        try await session.forEach(ids) { id in
            if ready.contains(id) {
                guard force else { throw Failure("pod \"\(id)\" is ready: stop it first, or use --force") }
                try await session.stopPod(id)
            }
            try await session.removePod(id)
            try session.console.line("Removed sandbox \(id)")
        }
    }
}
