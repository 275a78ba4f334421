import ArgumentParser
import CLICore
import CRIProto
import Foundation
import Play

/// How `play` tells at the end what became of the pods.
enum PlayOutput: String, ExpressibleByArgument, CaseIterable, Sendable {
    case json, yaml

    func text(_ value: JSONValue) throws -> String { self == .json ? value.pretty + "\n" : try YAMLTree.text(value) }
}

struct PlayManifest: RuntimeCommand {
    static let configuration = CommandConfiguration(
        commandName: "play", abstract: "Run the pods of a Kubernetes manifest without a kubelet.",
        usage: """
            swiftlet play [OPTIONS] FILE
            swiftlet play --down [FILE]
            """,
        discussion: """
            FILE is YAML or JSON with Pods and the ConfigMaps and Secrets that they use; - means standard input. Shows the \
            pods' phases and their containers' states until all pods have come to their end: as a table on a terminal, else \
            a line for each change. Ends with 0 if all pods succeeded (with --detach: or are ready), else with 1.

            An interrupt stops the pods as their deletion would: hooks, grace, sidecars last. A second one kills what still \
            runs, a third one gives up waiting. The stopped pods stay, for their logs, until 'swiftlet play --down' removes \
            them with their volumes.

            If this program is killed, the pods go on without restarts and probes. The same command takes them over as they \
            are; a file that has changed is refused then, unless --replace is given. The fields that are honoured are listed in docs/play.md.
            """)

    @Flag(help: "Stop and remove the pods of FILE that play made, or all that it made, with their volumes and logs.")
    var down = false

    @Flag(help: "Run the pods without the fields that cannot be honoured, and say which.")
    var lenient = false

    @Flag(
        name: .customLong("rm"), help: "Remove the pods with their volumes and logs when they have come to their end.")
    var removes = false

    @Flag(help: "Remove pods of the same names that play made, and begin anew.")
    var replace = false

    @Flag(name: .shortAndLong, help: "Leave the pods when all are ready or at their end, and end.")
    var detach = false

    @Option(
        name: .shortAndLong,
        help: "Write what became of the pods at the end: json or yaml. Changes go to standard error then.")
    var output: PlayOutput?

    @Option(help: "Where volumes and logs are kept.")
    var stateDir: String = PodDirectory.standardState

    @Option(help: "Multiply the waits between restarts, which grow from 10 s to 5 min, by this: 0.1, 0.01.")
    var backOffScale: Double = 1

    @OptionGroup var registry: RegistryOptions

    @Argument(help: "The manifest.", completion: .file())
    var file: String?

    func validate() throws {
        if file == nil, !down { throw ValidationError("expected a manifest") }
        if down, replace { throw ValidationError("--down and --replace cannot both be given") }
        if detach, down || removes { throw ValidationError("--detach cannot be given with --down or --rm") }
        if down, output != nil { throw ValidationError("--output is not for --down") }
        if down, removes { throw ValidationError("--down and --rm cannot both be given") }
        if !(0...1000).contains(backOffScale) {
            throw ValidationError("--back-off-scale \(backOffScale): expected a number from 0 to 1000")
        }
    }

    func run(_ session: Session) async throws {
        let console = session.console
        var session = session.patient
        if output != nil {
            var aside = console
            aside.writeOut = console.writeError
            session = session.speaking(on: aside)
        }
        let state = URL(filePath: stateDir).standardizedFileURL.path
        let removal = PlayRemoval(session: session, stateDirectory: state)
        if down { return try await takeDown(removal, session) }
        guard let file else { return }
        let manifest = try ManifestFile.read(file, lenient: lenient, console: session.console)
        let node = NodeFacts.read()
        let takeover = PodTakeover(session: session, stateDirectory: state, node: node)
        let pods = try await takeover.plan(manifest, replaces: replace)
        try await removal.removeLeftovers()
        let job = PlayJob(
            session: session, pods: pods, node: node, backOffScale: backOffScale,
            credentials: try await registry.credentials(), detaches: detach)
        var statuses: [PlayStatus] = []
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await job.run { statuses = $0 })
        } catch {
            outcome = .failure(error)
        }
        let uids = job.uids
        let left = try await session.playedPods().filter { uids.contains($0.labels[PlayLabel.pod] ?? "") }
        if removes {
            try await removal.remove(left)
            try job.removeDirectories()
        } else if left.isEmpty {
            try job.removeDirectories()
        } else {
            let isLeft = detach && left.contains { $0.state == .sandboxReady }
            let words =
                isLeft
                ? "the pods go on without restarts and probes until the same command takes them over"
                : "the pods and their logs stay"
            bestEffort { try console.err("swiftlet: \(words): 'swiftlet play --down' removes them\n") }
        }
        if let output { try console.out(output.text(PlayStatus.list(statuses))) }
        try outcome.get()
    }

    private func takeDown(_ removal: PlayRemoval, _ session: Session) async throws {
        var pods = try await session.playedPods()
        if let file {
            let names = try ManifestFile.pods(file)
            pods = pods.filter { names.contains("\($0.metadata.namespace)/\($0.metadata.name)") }
        }
        try await removal.remove(pods)
        try await removal.removeLeftovers()
    }
}
