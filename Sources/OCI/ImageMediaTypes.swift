/// Media types of images, OCI (image-spec, media-types.md) and docker (distribution, manifest v2 schema 2).
package enum ImageMediaType {
    package static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
    package static let ociIndex = "application/vnd.oci.image.index.v1+json"
    package static let ociConfig = "application/vnd.oci.image.config.v1+json"
    package static let ociLayer = "application/vnd.oci.image.layer.v1.tar"
    package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    package static let dockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json"
    package static let dockerConfig = "application/vnd.docker.container.image.v1+json"
    package static let dockerLayer = "application/vnd.docker.image.rootfs.diff.tar"

    /// What a registry is told to be accepted as a manifest; schema 1 is not among it.
    package static let manifests = [ociIndex, ociManifest, dockerIndex, dockerManifest]

    package static func isIndex(_ type: String) -> Bool { type == ociIndex || type == dockerIndex }
    package static func isManifest(_ type: String) -> Bool { type == ociManifest || type == dockerManifest }
    package static func isConfig(_ type: String) -> Bool { type == ociConfig || type == dockerConfig }
}

/// How the tar archive of a layer is packed.
package enum LayerCompression: Sendable, Hashable {
    case none, gzip, zstd

    /// Reads a layer's media type; foreign (non-distributable) layers and everything that is not a layer are refused.
    package init(mediaType: String) throws(ImageFormatError) {
        switch mediaType {
        case ImageMediaType.ociLayer, ImageMediaType.dockerLayer: self = .none
        case ImageMediaType.ociLayer + "+gzip", ImageMediaType.dockerLayer + ".gzip": self = .gzip
        case ImageMediaType.ociLayer + "+zstd", ImageMediaType.dockerLayer + ".zstd": self = .zstd
        default: throw .unsupported(what: "layer of media type \"\(mediaType.prefix(128))\"")
        }
    }
}
