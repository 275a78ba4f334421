import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Rmi: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove images.",
        usage: "swiftlet rmi IMAGE ... | --all | --prune")

    @Argument(help: "Names, digests or ids of images.", completion: .images)
    var names: [String] = []

    @Flag(name: .shortAndLong, help: "Remove all images.")
    var all = false

    @Flag(name: [.customShort("q"), .long], help: "Remove the images that no container uses and that are not pinned.")
    var prune = false

    func validate() throws {
        if names.isEmpty, !all, !prune { throw ValidationError("expected images, --all or --prune") }
        if !names.isEmpty, all || prune { throw ValidationError("--all and --prune take no images") }
    }

    func run(_ session: Session) async throws {
        var chosen: [(name: String, image: Runtime_V1_Image)] = []
        if all || prune {
            let used = prune ? try await imagesInUse(session) : []
            let images = try await session.images().filter { !prune || (!$0.pinned && !used.contains($0.id)) }
            chosen = images.map { ($0.id, $0) }
        } else {
            for name in names {
                guard let image = try await session.image(name) else {
                    throw Failure("there is no image \"\(printable(name))\"")
                }
                if image.repoTags.count > 1, image.repoTags.contains(name) {
                    let others = image.repoTags.filter { $0 != name }.map(printable).joined(separator: ", ")
                    try session.console.err(
                        "swiftlet: the image of \(printable(name)) goes with its other names: \(others)\n")
                }
                chosen.append((name, image))
            }
        }
        let images = Dictionary(chosen.map { ($0.name, $0.image) }) { first, _ in first }
        let isPruning = prune
        try await session.forEach(chosen.map(\.name)) { name in
            do {
                _ = try await session.images.call(
                    CRIMethods.removeImage, .with { $0.image.image = name }, within: session.slow,
                    to: "remove image \"\(name)\"")
            } catch {
                // A container may have come to use it meanwhile.
                if isPruning { return }
                throw error
            }
            guard let image = images[name] else { return }
            for gone in image.repoTags.isEmpty ? image.repoDigests : image.repoTags {
                try session.console.line("Deleted: \(printable(gone))")
            }
        }
    }

    private func imagesInUse(_ session: Session) async throws -> Set<String> {
        var ids: Set<String> = []
        for container in try await session.containers() {
            if !container.imageID.isEmpty { ids.insert(container.imageID) }
            let name = container.image.image.isEmpty ? container.imageRef : container.image.image
            if let image = try await session.image(name) { ids.insert(image.id) }
        }
        return ids
    }
}
