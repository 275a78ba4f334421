import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Ps: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "List containers: those that run, unless asked otherwise.",
        usage: "swiftlet ps [OPTIONS]")

    @OptionGroup var selection: ContainerListing

    @Flag(name: .shortAndLong, help: "Print ids only.")
    var quiet = false

    @Flag(help: "Show ids in full.")
    var noTrunc = false

    @Flag(name: [.customShort("r"), .long], help: "Show an image's name where the container has its id only.")
    var resolveImagePath = false

    @Flag(name: .shortAndLong, help: "Show what there is to each container, one below the other.")
    var verbose = false

    @OptionGroup var output: Output<TableFirst>

    func run(_ session: Session) async throws {
        let listed = try await selection.select(session, needsOwners: output.isTable && !quiet)
        let containers = listed.containers
        if !output.isTable {
            let response = Runtime_V1_ListContainersResponse.with { $0.containers = containers }
            try session.console.out(output.text(JSONValue(message: response)))
        } else if quiet {
            for container in containers { try session.console.line(printable(container.id)) }
        } else if verbose {
            for (container, status) in zip(containers, try await statuses(containers, session)) {
                let pod = (container.podSandboxID, listed.owners.namespace(of: container) ?? "unknown")
                let sheet = ContainerSheet(status, in: pod, now: session.console.now(), verbose: false)
                try session.console.out(sheet.text + "\n")
            }
        } else {
            try session.console.out(try await table(containers, listed.owners, session))
        }
    }

    private func table(
        _ containers: [Runtime_V1_Container], _ owners: PodOwners, _ session: Session
    ) async throws -> String {
        let details = output.isWide ? try await statuses(containers, session) : []
        let names = resolveImagePath ? try await imageNames(session) : [:]
        let header = ["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE"]
        var table = Table(header + (output.isWide ? ["STARTED", "EXIT", "REASON", "IMAGE ID"] : []))
        let now = session.console.now()
        for (index, container) in containers.enumerated() {
            var row = [
                noTrunc ? container.id : shortID(container.id),
                names[container.image.image] ?? container.imageName(truncated: !noTrunc),
                agoText(container.createdAt, now: now), container.state.word, container.metadata.name,
                String(container.metadata.attempt), noTrunc ? container.podSandboxID : shortID(container.podSandboxID),
                owners.name(of: container) ?? "unknown", owners.namespace(of: container) ?? "unknown",
            ]
            if output.isWide {
                let status = details[index].status
                row.append(status.startedAt == 0 ? "never" : agoText(status.startedAt, now: now))
                row.append(status.state == .containerExited ? String(status.exitCode) : "-")
                row.append(status.reason.isEmpty ? "-" : status.reason)
                row.append(noTrunc ? container.imageID : shortID(container.imageID))
            }
            table.add(row)
        }
        return table.text
    }

    /// In the order of the containers.
    private func statuses(
        _ containers: [Runtime_V1_Container], _ session: Session
    ) async throws -> [Runtime_V1_ContainerStatusResponse] {
        try await session.each(containers.map(\.id)) { try await session.containerStatus($0) }
    }

    /// The first name of each image by its id.
    private func imageNames(_ session: Session) async throws -> [String: String] {
        var names: [String: String] = [:]
        for image in try await session.images() { names[image.id] = image.repoTags.first ?? image.repoDigests.first }
        return names
    }
}

extension Runtime_V1_Container {
    /// The image as people know it, else its id: a kubelet gives an image by id and what the user wrote beside it.
    fileprivate func imageName(truncated: Bool) -> String {
        if !image.userSpecifiedImage.isEmpty { return image.userSpecifiedImage }
        return truncated && image.image.hasPrefix("sha256:") ? shortID(image.image) : image.image
    }
}
