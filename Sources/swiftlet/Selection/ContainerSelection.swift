import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

/// Which containers a command shows: crictl's flags.
struct ContainerSelection: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Show containers in every state.")
    var all = false

    @Option(help: "Only the container with this id or beginning of an id.")
    var id: String?

    @Option(help: "Only containers whose name fits this regular expression.")
    var name: String?

    @Option(name: .shortAndLong, help: "Only containers of the pod with this id or beginning of an id.")
    var pod: String?

    @Option(help: "Only containers of pods whose namespace fits this regular expression.")
    var namespace: String?

    @Option(help: "Only containers of this image.")
    var image: String?

    @Option(parsing: .singleValue, help: "Only containers with this label, KEY=VALUE. May be repeated.")
    var label: [String] = []

    @Option(name: .shortAndLong, help: "Only containers in this state: created, running, exited or unknown.")
    var state: String?

    @Flag(name: .shortAndLong, help: "Only the container that was made last, in any state.")
    var latest = false

    @Option(
        name: [.customShort("n"), .long], help: "Only the containers made last, this many, in any state; 0 shows all.")
    var last: Int?

    /// Whether there is any of them.
    var isGiven: Bool {
        all || latest || last != nil || !label.isEmpty
            || [id, name, pod, namespace, image, state].contains { $0 != nil }
    }

    /// The containers, newest first, and their pods if those are needed.
    func select(
        _ session: Session, needsOwners: Bool
    ) async throws -> (containers: [Runtime_V1_Container], owners: PodOwners) {
        let limit = try countLimit(latest: latest, last: last)
        var filter = Runtime_V1_ContainerFilter()
        filter.labelSelector = try parseLabels(label)
        if let state {
            filter.state.state = try parseContainerState(state)
        } else if !all, !latest, last == nil {
            filter.state.state = .containerRunning
        }
        let names = try NamePattern(name, flag: "--name")
        let namespaces = try NamePattern(namespace, flag: "--namespace")
        let wanted = try await session.imageNames(image)
        let all = try await session.containers(filter)
        let owners = try await PodOwners(of: namespace != nil || needsOwners ? all : [], session)
        let containers = all.filter { container in
            container.id.hasPrefix(id ?? "") && container.podSandboxID.hasPrefix(pod ?? "")
                && names.matches(container.metadata.name)
                && namespaces.matches(owners.namespace(of: container) ?? "")
                && (wanted.isEmpty || !wanted.isDisjoint(with: container.imageNames))
        }
        let newest = containers.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        return (Array(newest.prefix(limit ?? newest.count)), owners)
    }
}
