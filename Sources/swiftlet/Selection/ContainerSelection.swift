import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

/// How a command names its flag for states: `-s` means other things to some.
protocol StateFlag: Sendable {
    static var name: NameSpecification { get }
}

enum ShortStateFlag: StateFlag {
    static var name: NameSpecification { .shortAndLong }
}

enum LongStateFlag: StateFlag {
    static var name: NameSpecification { .long }
}

/// Which containers a command is about: crictl's flags.
struct ContainerSelection<State: StateFlag>: ParsableArguments {
    @Option(help: "Only the container with this id or beginning of an id.", completion: .containers)
    var id: String?

    @Option(help: "Only containers whose name fits this regular expression.")
    var name: String?

    @Option(
        name: .shortAndLong, help: "Only containers of the pod with this id or beginning of an id.", completion: .pods)
    var pod: String?

    @Option(help: "Only containers of pods whose namespace fits this regular expression.")
    var namespace: String?

    @Option(help: "Only containers of this image.", completion: .images)
    var image: String?

    @Option(
        parsing: .singleValue,
        help: "Only containers with this label, KEY=VALUE; several with commas between. May be repeated.")
    var label: [String] = []

    @Option(
        name: State.name, help: "Only containers in this state: created, running, exited or unknown.",
        completion: .list(["created", "running", "exited", "unknown"]))
    var state: String?

    @Flag(name: .shortAndLong, help: "Only the container that was made last.")
    var latest = false

    @Option(
        name: [.customShort("n"), .long], parsing: .unconditional,
        help: "Only the containers made last, this many; 0 is all.")
    var last: Int?

    /// Whether there is any of them.
    var isGiven: Bool {
        latest || last != nil || !label.isEmpty || [id, name, pod, namespace, image, state].contains { $0 != nil }
    }

    /// The containers, newest first, and their pods if those are needed.
    /// - Parameter running: whether only those that run are meant where no state is asked for.
    func select(
        _ session: Session, running: Bool, needsOwners: Bool = false
    ) async throws -> (containers: [Runtime_V1_Container], owners: PodOwners) {
        let limit = try countLimit(latest: latest, last: last)
        var filter = Runtime_V1_ContainerFilter()
        filter.labelSelector = try parseLabels(label)
        if let state {
            filter.state.state = try parseContainerState(state)
        } else if running {
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

/// The flags of commands that show containers.
struct ContainerListing: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Show containers in every state, as --latest and --last do.")
    var all = false

    @OptionGroup var selection: ContainerSelection<ShortStateFlag>

    var isGiven: Bool { all || selection.isGiven }

    /// The containers, newest first: those that run, unless asked otherwise.
    func select(
        _ session: Session, needsOwners: Bool
    ) async throws -> (containers: [Runtime_V1_Container], owners: PodOwners) {
        let running = !all && !selection.latest && selection.last == nil
        return try await selection.select(session, running: running, needsOwners: needsOwners)
    }
}

extension Session {
    /// All the names by which a container may refer to an image of a flag; empty without one.
    fileprivate func imageNames(_ name: String?) async throws -> Set<String> {
        guard let name else { return [] }
        guard let found = try await image(name) else { return [name] }
        return Set([name, found.id] + found.repoTags + found.repoDigests)
    }
}

extension Runtime_V1_Container {
    /// Every name of its image that it carries.
    fileprivate var imageNames: Set<String> { [image.image, image.userSpecifiedImage, imageRef, imageID] }
}
