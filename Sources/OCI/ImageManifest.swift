/// The list of what one image consists of (image-spec, manifest.md; docker's schema 2 has the same fields).
package struct ImageManifest: Codable, Equatable, Sendable {
    /// containerd's limit, which registries share.
    package static let bytesMax = 4 * 1024 * 1024

    package var schemaVersion: Int
    package var mediaType: String?
    package var config: ImageDescriptor
    package var layers: [ImageDescriptor]

    package init(mediaType: String, config: ImageDescriptor, layers: [ImageDescriptor]) {
        self.schemaVersion = 2
        self.mediaType = mediaType
        self.config = config
        self.layers = layers
    }
}

/// The list of one image's manifests, one for each platform (image-spec, image-index.md; docker's manifest list).
package struct ImageIndex: Codable, Equatable, Sendable {
    package var schemaVersion: Int
    package var mediaType: String?
    package var manifests: [ImageDescriptor]

    package init(mediaType: String, manifests: [ImageDescriptor]) {
        self.schemaVersion = 2
        self.mediaType = mediaType
        self.manifests = manifests
    }

    /// The entry that runs best on `platform`; the first of equals. Attestations and entries of no known type are
    /// passed over.
    package func best(for platform: ImagePlatform) -> ImageDescriptor? {
        var best: (entry: ImageDescriptor, preference: Int)?
        for entry in manifests where Self.mayHoldImage(entry) {
            let wanted = entry.platform ?? ImagePlatform(os: "", architecture: "")
            guard let preference = platform.preference(for: wanted), preference < best?.preference ?? Int.max else {
                continue
            }
            best = (entry, preference)
        }
        return best?.entry
    }

    private static func mayHoldImage(_ entry: ImageDescriptor) -> Bool {
        (ImageMediaType.isManifest(entry.mediaType) || ImageMediaType.isIndex(entry.mediaType))
            && entry.annotations?["vnd.docker.reference.type"] == nil && entry.artifactType == nil
    }
}

/// What a registry answers when it is asked for a manifest.
package enum ImageDocument: Equatable, Sendable {
    case manifest(ImageManifest)
    case index(ImageIndex)

    /// Decodes `bytes` under the type that the registry or the parent descriptor named.
    ///
    /// A document that could be read as both, or that says it is something else than it was announced as, is refused
    /// (CVE-2021-41190). `mediaType` may be nil where nothing was announced; then the document must tell.
    package init(decoding bytes: [UInt8], mediaType announced: String?) throws(ImageFormatError) {
        let what = "manifest"
        func malformed(_ reason: String) -> ImageFormatError { .malformed(what: what, reason: reason) }

        let shape = try ImageJSON.decode(Shape.self, from: bytes, what: what, bytesMax: ImageManifest.bytesMax)
        if shape.schemaVersion == 1 { throw .unsupported(what: "manifest of schema version 1") }
        guard shape.schemaVersion == 2 else { throw malformed("\"schemaVersion\" is not 2") }
        guard !(shape.hasManifests && (shape.hasLayers || shape.hasConfig)) else {
            throw malformed("it has both \"manifests\" and \"layers\" or \"config\"")
        }

        let known = announced.flatMap { ImageMediaType.isManifest($0) || ImageMediaType.isIndex($0) ? $0 : nil }
        if let known, let own = shape.mediaType, own != known {
            throw malformed("it was announced as \"\(known)\" but says it is \"\(own.prefix(128))\"")
        }
        if known == nil, let announced,
            !["", "application/json", "application/octet-stream", "text/plain"].contains(announced)
        {
            throw .unsupported(what: "manifest of media type \"\(announced.prefix(128))\"")
        }
        let type =
            known ?? shape.mediaType ?? (shape.hasManifests ? ImageMediaType.ociIndex : ImageMediaType.ociManifest)

        if ImageMediaType.isIndex(type) {
            guard shape.hasManifests else { throw malformed("an index has no \"manifests\"") }
            let index = try ImageJSON.decode(ImageIndex.self, from: bytes, what: what, bytesMax: ImageManifest.bytesMax)
            self = .index(index)
        } else if ImageMediaType.isManifest(type) {
            guard shape.hasLayers, shape.hasConfig else {
                throw malformed("a manifest needs \"config\" and \"layers\"")
            }
            let manifest = try ImageJSON.decode(
                ImageManifest.self, from: bytes, what: what, bytesMax: ImageManifest.bytesMax)
            self = .manifest(manifest)
        } else {
            throw .unsupported(what: "manifest of media type \"\(type.prefix(128))\"")
        }
    }

    /// Which members the document has, whatever their values.
    private struct Shape: Decodable {
        var schemaVersion: Int
        var mediaType: String?
        var hasManifests: Bool
        var hasLayers: Bool
        var hasConfig: Bool

        enum CodingKeys: String, CodingKey { case schemaVersion, mediaType, manifests, layers, config, fsLayers }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            schemaVersion = try container.decodeIfPresent(Int.self, forKey: .schemaVersion) ?? 0
            if container.contains(.fsLayers) { schemaVersion = 1 }
            mediaType = try container.decodeIfPresent(String.self, forKey: .mediaType)
            hasManifests = container.contains(.manifests)
            hasLayers = container.contains(.layers)
            hasConfig = container.contains(.config)
        }
    }
}
