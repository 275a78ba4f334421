package import Model
package import OCI

/// An image that this machine has, complete.
package struct ImageRecord: Sendable, Equatable {
    /// The digest of its configuration.
    package internal(set) var id: Digest
    /// Canonical names with a tag, sorted.
    package internal(set) var repoTags: [String]
    /// Canonical names with the digest that the registry knows the image by, sorted.
    package internal(set) var repoDigests: [String]
    /// Directories below `ImageStore.layersPath`, lowest first; never empty.
    package internal(set) var layers: [String]
    /// What the layers take on disk, plus the image's documents; never 0.
    package internal(set) var size: Int64
    /// Whether the configuration of this machine keeps the image from being removed by the kubelet.
    package internal(set) var isPinned = false
    package internal(set) var defaults: ImageConfig.Defaults
    package internal(set) var platform: ImagePlatform
    /// RFC 3339, as the image's builder wrote it.
    package internal(set) var created: String?
    /// Seconds since 1970.
    package internal(set) var pulledAt: Int64

    /// The digests that were asked for when the image was pulled: of a manifest, or of an index that led to it.
    var targets: [Digest]
    var manifest: Digest
    /// Grows with each change of any record, so that of two records that claim one tag the younger one has it.
    var generation: UInt64

    /// The USER of the configuration as the CRI wants it: a number, or a name, never both.
    package var user: ImageUserName { ImageUserName(defaults.user ?? "") }

    /// The part that a container is made of. Malformed entries of the environment and volumes that are no absolute
    /// paths are left out (CVE-2026-57231, CVE-2022-23648).
    package var runtimeImage: RuntimeImage {
        var image = RuntimeImage(id: id.description, layers: layers)
        image.entrypoint = defaults.entrypoint ?? []
        image.command = defaults.command ?? []
        image.environment = (defaults.environment ?? []).filter(Self.isVariable)
        image.workingDirectory = defaults.workingDirectory ?? ""
        image.user = defaults.user ?? ""
        image.volumes = (defaults.volumes ?? [:]).keys.filter(Self.isVolume).sorted()
        image.stopSignal = defaults.stopSignal ?? ""
        return image
    }

    private static func isVariable(_ entry: String) -> Bool {
        guard let equals = entry.utf8.firstIndex(of: UInt8(ascii: "=")), equals > entry.utf8.startIndex else {
            return false
        }
        return !entry.utf8.contains(0)
    }

    private static func isVolume(_ path: String) -> Bool {
        path.hasPrefix("/") && path.utf8.count <= 4095 && !path.utf8.contains(0)
            && path.utf8.contains { $0 != UInt8(ascii: "/") }
            && path.split(separator: "/").allSatisfy { $0 != ".." && $0.utf8.count <= 255 }
    }
}

/// The part of an image's record that has a file of its own; the rest is in the image's configuration blob.
struct ImageFile: Codable {
    var id: Digest
    var repoTags: [String]
    var repoDigests: [String]
    var layers: [String]
    var size: Int64
    var pulledAt: Int64
    var targets: [Digest]
    var manifest: Digest
    var generation: UInt64

    init(_ record: ImageRecord) {
        id = record.id
        repoTags = record.repoTags
        repoDigests = record.repoDigests
        layers = record.layers
        size = record.size
        pulledAt = record.pulledAt
        targets = record.targets
        manifest = record.manifest
        generation = record.generation
    }

    func record(with config: ImageConfig) -> ImageRecord {
        ImageRecord(
            id: id, repoTags: repoTags, repoDigests: repoDigests, layers: layers, size: size,
            defaults: config.config ?? .init(),
            platform: config.platform, created: config.created, pulledAt: pulledAt, targets: targets,
            manifest: manifest,
            generation: generation)
    }
}

/// A layer's directory.
struct LayerRecord: Codable, Equatable, Sendable {
    /// The directory's name: a decimal number.
    var name: String
    var diffID: Digest
    /// Set where directories took owner and mode from the layers below: then it is good for this chain only.
    var chainID: Digest?
    var usage: LayerUsage
    var isRootOpaque: Bool
    /// Whether a list of directories without members of their own is kept beside the record.
    var hasImplied: Bool
}
