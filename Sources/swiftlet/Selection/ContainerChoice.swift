import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

/// The flags that choose running containers in the place of an id, named as crictl names them.
struct ContainerChoice: ParsableArguments {
    @Option(help: "In all containers whose name fits this regular expression.")
    var name: String?

    @Option(name: .shortAndLong, help: "In all containers of the pod with this id or beginning of an id.")
    var pod: String?

    @Option(help: "In all containers of this image.")
    var image: String?

    @Option(help: "In all containers in this state; only running ones can run commands.")
    var state: String?

    @Option(parsing: .singleValue, help: "In all containers with this label, KEY=VALUE. May be repeated.")
    var label: [String] = []

    @Flag(name: .shortAndLong, help: "In the container that was made last.")
    var latest = false

    @Option(name: [.customShort("n"), .long], help: "In the containers made last, this many; 0 is all.")
    var last: Int?

    /// Whether there is any of them.
    var isGiven: Bool {
        name != nil || pod != nil || image != nil || state != nil || !label.isEmpty || latest || last != nil
    }

    /// The ids of the chosen containers, newest first.
    func ids(_ session: Session) async throws -> [String] {
        let limit = try countLimit(latest: latest, last: last)
        var filter = Runtime_V1_ContainerFilter()
        filter.labelSelector = try parseLabels(label)
        filter.state.state = try state.map(parseContainerState) ?? .containerRunning
        let names = try NamePattern(name, flag: "--name")
        let wanted = try await session.imageNames(image)
        let chosen = try await session.containers(filter).filter { container in
            container.podSandboxID.hasPrefix(pod ?? "") && names.matches(container.metadata.name)
                && (wanted.isEmpty || !wanted.isDisjoint(with: container.imageNames))
        }
        let newest = chosen.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        return newest.prefix(limit ?? newest.count).map(\.id)
    }
}

extension Session {
    /// All the names by which a container may refer to an image of a flag; empty without one.
    func imageNames(_ name: String?) async throws -> Set<String> {
        guard let name else { return [] }
        guard let found = try await image(name) else { return [name] }
        return Set([name, found.id] + found.repoTags + found.repoDigests)
    }
}

extension Runtime_V1_Container {
    /// Every name of its image that it carries.
    var imageNames: Set<String> { [image.image, image.userSpecifiedImage, imageRef, imageID] }
}
