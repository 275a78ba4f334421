package import Model

/// A reference from one document of an image to another (image-spec, descriptor.md).
///
/// The field `urls` is deliberately not read: content comes from the registry that was asked, never from where an image
/// points to.
package struct ImageDescriptor: Codable, Hashable, Sendable {
    package var mediaType: String
    package var digest: Digest
    package var size: Int64
    package var platform: ImagePlatform?
    package var annotations: [String: String]?
    package var artifactType: String?

    package init(mediaType: String, digest: Digest, size: Int64, platform: ImagePlatform? = nil) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.platform = platform
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        mediaType = try container.decodeIfPresent(String.self, forKey: .mediaType) ?? ""
        digest = try container.decode(Digest.self, forKey: .digest)
        size = try container.decode(Int64.self, forKey: .size)
        platform = try container.decodeIfPresent(ImagePlatform.self, forKey: .platform)
        annotations = try container.decodeIfPresent([String: String].self, forKey: .annotations)
        artifactType = try container.decodeIfPresent(String.self, forKey: .artifactType)
        guard size >= 0 else {
            throw DecodingError.dataCorruptedError(forKey: .size, in: container, debugDescription: "a negative size")
        }
    }
}
