import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Ps: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "List containers: those that run, unless asked otherwise.",
        usage: "swiftlet ps [OPTIONS]")

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

    @Flag(name: .shortAndLong, help: "Print ids only.")
    var quiet = false

    @Flag(help: "Show ids in full.")
    var noTrunc = false

    @Option(name: .shortAndLong, help: "The format: table, json or yaml.")
    var output = OutputFormat.table

    func run(_ session: Session) async throws {
        let listed = try await select(session)
        let containers = listed.containers
        if quiet {
            for container in containers { try session.console.line(printable(container.id)) }
        } else if output == .table {
            try session.console.out(table(containers, listed.owners, now: session.console.now()))
        } else {
            let response = Runtime_V1_ListContainersResponse.with { $0.containers = containers }
            try session.console.out(output.text(JSONValue(message: response)))
        }
    }

    private func select(_ session: Session) async throws -> (containers: [Runtime_V1_Container], owners: PodOwners) {
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
        let needsOwners = namespace != nil || (output == .table && !quiet)
        let owners = try await PodOwners(of: needsOwners ? all : [], session)
        let containers = all.filter { container in
            container.id.hasPrefix(id ?? "") && container.podSandboxID.hasPrefix(pod ?? "")
                && names.matches(container.metadata.name)
                && namespaces.matches(owners.namespace(of: container) ?? "")
                && (wanted.isEmpty || !wanted.isDisjoint(with: container.imageNames))
        }
        let newest = containers.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        return (Array(newest.prefix(limit ?? newest.count)), owners)
    }

    private func table(_ containers: [Runtime_V1_Container], _ owners: PodOwners, now: UnixNanoseconds) -> String {
        var table = Table([
            "CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE",
        ])
        for container in containers {
            table.add([
                noTrunc ? container.id : shortID(container.id), container.imageName(truncated: !noTrunc),
                agoText(container.createdAt, now: now), container.state.word, container.metadata.name,
                String(container.metadata.attempt), noTrunc ? container.podSandboxID : shortID(container.podSandboxID),
                owners.name(of: container) ?? "unknown", owners.namespace(of: container) ?? "unknown",
            ])
        }
        return table.text
    }
}

extension Runtime_V1_Container {
    /// The image as people know it, else its id: a kubelet gives an image by id and what the user wrote beside it.
    fileprivate func imageName(truncated: Bool) -> String {
        if !image.userSpecifiedImage.isEmpty { return image.userSpecifiedImage }
        return truncated && image.image.hasPrefix("sha256:") ? shortID(image.image) : image.image
    }
}
