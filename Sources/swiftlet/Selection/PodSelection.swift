import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

/// Which pods a command shows: crictl's flags.
struct PodSelection: ParsableArguments {
    @Option(help: "Only the pod with this id or beginning of an id.", completion: .pods)
    var id: String?

    @Option(help: "Only pods whose name fits this regular expression.")
    var name: String?

    @Option(help: "Only pods whose namespace fits this regular expression.")
    var namespace: String?

    @Option(parsing: .singleValue, help: "Only pods with this label, KEY=VALUE. May be repeated.")
    var label: [String] = []

    @Option(
        name: .shortAndLong, help: "Only pods in this state: ready or notready.",
        completion: .list(["ready", "notready"]))
    var state: String?

    @Flag(name: .shortAndLong, help: "Only the pod that was made last.")
    var latest = false

    @Option(
        name: [.customShort("n"), .long], parsing: .unconditional,
        help: "Only the pods made last, this many; 0 shows all.")
    var last: Int?

    /// Whether there is any of them.
    var isGiven: Bool {
        latest || last != nil || !label.isEmpty || [id, name, namespace, state].contains { $0 != nil }
    }

    /// The pods, newest first.
    func select(_ session: Session) async throws -> [Runtime_V1_PodSandbox] {
        var filter = Runtime_V1_PodSandboxFilter()
        filter.labelSelector = try parseLabels(label)
        if let state { filter.state.state = try parsePodState(state) }
        let names = try NamePattern(name, flag: "--name")
        let namespaces = try NamePattern(namespace, flag: "--namespace")
        let limit = try countLimit(latest: latest, last: last)
        let pods = try await session.pods(filter).filter { pod in
            pod.id.hasPrefix(id ?? "") && names.matches(pod.metadata.name) && namespaces.matches(pod.metadata.namespace)
        }
        return Array(pods.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }.prefix(limit ?? pods.count))
    }
}
