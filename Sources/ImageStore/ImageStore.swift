import Glibc
import Linux
package import Model
package import OCI

/// How a store is set up on this machine.
package struct ImageStoreConfiguration: Sendable {
    /// The store's directory; its parent exists.
    package var path: String
    package var limits = ImageLimits()
    package var platform = ImagePlatform.host
    /// Names of images that are reported as pinned, as users write them; `*` stands for any characters.
    package var pinned: [String] = []

    package init(path: String) { self.path = path }
}

/// The images of this machine: pulled, unpacked, listed, lent to containers, removed.
///
/// An image is visible when all of it is on disk, and not before. All file work happens on threads of the store's own.
package final class ImageStore: Sendable {
    /// What a pull of one image is shared by: everybody who was told this digest by the registry.
    struct PullKey: Hashable, Sendable {
        var repository: String
        var target: Digest
    }

    let catalog: Catalog
    let pool: BlockingPool
    private let configuration: ImageStoreConfiguration
    private let pulls = SharedWork<PullKey, Digest>()
    private let layerWork = SharedWork<ImagePull.LayerKey, Void>()
    let users = UserCache()

    /// What pulls are under way.
    package let board = PullBoard()

    /// What was found damaged at `open` and left out, for the log.
    package let problems: [String]

    /// The directory that the names in `ImageRecord.layers` are relative to.
    package var layersPath: String { "\(configuration.path)/layers" }

    /// A layer with nothing in it: the second lower directory where overlayfs wants two.
    package static var emptyLayer: String { StoreDirectories.emptyLayer }

    /// Opens a store or makes it, and removes what an earlier life left half-done.
    ///
    /// Layers that no image has stay until `removeUnreferencedLayers`, so that the caller can `retain` those of its
    /// containers first.
    package static func open(_ configuration: ImageStoreConfiguration) async throws -> ImageStore {
        let pool = BlockingPool(name: "images", threadsMax: 8)
        let (catalog, problems) = try await pool.run {
            var loader = StoreLoader(try StoreDirectories(path: configuration.path))
            try loader.load()
            return (Catalog(directories: loader.directories, state: loader.state), loader.problems)
        }
        return ImageStore(configuration, catalog, pool, problems)
    }

    private init(
        _ configuration: ImageStoreConfiguration, _ catalog: Catalog, _ pool: BlockingPool, _ problems: [String]
    ) {
        self.configuration = configuration
        self.catalog = catalog
        self.pool = pool
        self.problems = problems
    }

    // MARK: Pull

    /// Makes an image local and returns it.
    ///
    /// The source is always asked what the reference means, with this caller's credentials; the rest of the work is
    /// shared with everybody who pulls the same. Cancelling one caller does not disturb the others. `ticket` is this
    /// caller's place on the board, which the caller ends.
    package func pull(
        _ reference: ImageReference, from source: any BlobSource, ticket: PullTicket? = nil
    ) async throws -> ImageRecord {
        let target = try await source.resolve()
        if let wanted = reference.digest, wanted != target.digest {
            throw ImageStoreError.corruptContent(
                "pull image \"\(reference)\": the registry answers with \(target.digest)")
        }
        let id: Digest
        if let present = catalog.look({ $0.images(target: target.digest).first }) {
            id = present.id
        } else {
            let key = PullKey(repository: reference.repository, target: target.digest)
            let meter = board.take(key)
            defer { board.giveBack(key) }
            ticket?.follow(meter)
            let pull = ImagePull(
                reference: reference, target: target, source: source, catalog: catalog, layerWork: layerWork,
                pool: pool,
                platform: configuration.platform, budget: UnpackBudget(limits: configuration.limits), board: board,
                meter: meter, now: { Int64(time(nil)) })
            id = try await pulls.run(key) { try await pull.run() }
        }
        let tag = reference.tag == nil ? nil : reference.canonical
        let named = try await catalog.name(
            id, tag: tag, digest: reference.at(target.digest).canonical, target: target.digest)
        return shown(named)
    }

    /// How many callers wait for the pull of this digest, for metrics.
    package func waiterCount(_ reference: ImageReference, target: Digest) -> Int {
        pulls.waiterCount(PullKey(repository: reference.repository, target: target))
    }

    // MARK: Look

    /// All images, or the one that `filter` means.
    package func list(_ filter: String? = nil) throws(ImageStoreError) -> [ImageRecord] {
        if let filter, !filter.isEmpty { return try status(filter).map { [$0] } ?? [] }
        return catalog.look { Array($0.images.values) }.sorted { $0.id < $1.id }.map(shown)
    }

    /// The image that an id, the beginning of one, or a name with tag or digest means; nil where there is none.
    package func status(_ text: String) throws(ImageStoreError) -> ImageRecord? {
        try catalog.find(text).map(shown)
    }

    /// What the store takes on disk, from counts that are kept.
    package func usage() -> ImageStoreUsage {
        catalog.look { state in
            let layers = state.layers.values.reduce(LayerUsage()) { $0 + $1.usage }
            let blobs = state.blobs.values.reduce(Int64(0), +)
            return ImageStoreUsage(
                path: configuration.path, usedBytes: layers.bytes + blobs,
                usedInodes: layers.inodes + Int64(state.blobs.count + state.images.count + 2 * state.layers.count))
        }
    }

    // MARK: Remove

    /// Removes the image that `text` means, with all its names; a missing one is success. Layers that containers use
    /// stay.
    package func remove(_ text: String) async throws {
        guard let image = try status(text) else { return }
        try await catalog.removeImage(image.id)
        users.forget(image.id)
    }

    // MARK: Containers

    /// Finds an image for a container that is being created, and keeps its layers until `release`.
    package func retain(image text: String, for container: ContainerID) throws(ImageStoreError) -> ImageRecord {
        guard let image = try status(text), let kept = catalog.retain(image: image.id, for: container) else {
            throw .notFound("find image \"\(text.prefix(512))\": not found")
        }
        return shown(kept)
    }

    /// Keeps layers for a container that was found at start. False where one of them is gone already; what there is is
    /// kept then.
    @discardableResult
    package func retain(layers: [String], for container: ContainerID) -> Bool { catalog.retain(layers, for: container) }

    /// Gives a container's layers free; those that nobody else needs are removed. Unknown containers are success.
    package func release(_ container: ContainerID) async throws { try await catalog.release(container) }

    /// Removes layers that nobody needs: once after start, when every container that exists has retained its own.
    package func removeUnreferencedLayers() async throws { try await catalog.removeUnreferencedLayers() }

    private func shown(_ image: ImageRecord) -> ImageRecord {
        var image = image
        let names = image.repoTags + image.repoDigests
        image.isPinned = configuration.pinned.contains { pattern in names.contains { Glob.matches(pattern, $0) } }
        return image
    }
}

/// What the store takes on disk (FilesystemUsage of the CRI).
package struct ImageStoreUsage: Sendable, Equatable {
    /// A directory on the file system that holds the images.
    package var path: String
    package var usedBytes: Int64
    package var usedInodes: Int64
}

extension Catalog {
    func find(_ text: String) throws(ImageStoreError) -> ImageRecord? {
        try look { state in Result { () throws(ImageStoreError) in try state.find(text) } }.get()
    }
}

/// Patterns with `*` for any characters, slashes included; a name without registry or tag means what it means in a
/// pull.
enum Glob {
    static func matches(_ pattern: String, _ name: String) -> Bool {
        guard pattern.contains("*") else {
            do throws(Fault) { return try ImageReference(pattern).canonical == name } catch { return false }
        }
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        var rest = name[...]
        for (index, part) in parts.enumerated() {
            if index == 0 {
                guard rest.hasPrefix(part) else { return false }
                rest = rest.dropFirst(part.count)
            } else if index == parts.count - 1 {
                return rest.hasSuffix(part)
            } else if let range = rest.firstRange(of: part) {
                rest = rest[range.upperBound...]
            } else {
                return false
            }
        }
        return rest.isEmpty
    }
}
