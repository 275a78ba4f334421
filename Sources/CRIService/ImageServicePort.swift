/// Images of the node, as the CRI's ImageService shows them. Conformer: the daemon's adapter on `ImageStore` and `Registry`.
package protocol ImageServicePort: Sendable {
    /// Brings an image here and returns its id. Throws `Fault`; a registry that cannot be reached is code `unknown` with a
    /// message that begins "RegistryUnavailable".
    func pull(_ reference: String, credentials: PullCredentials) async throws -> String
    /// All complete images.
    func list() async throws -> [ImageSummary]
    /// The image that an id, an id prefix, a digest or a tag names; nil where there is none.
    func image(_ reference: String) async throws -> ImageSummary?
    /// Removes an image with all of its names. One that is not there is success.
    func remove(_ reference: String) async throws
    /// What images, and what writable layers, take on disk.
    func usage() async throws -> (images: FilesystemUse, containers: FilesystemUse)
}

/// How to log in to a registry for one pull (CRI `AuthConfig`); all empty = anonymous.
package struct PullCredentials: Sendable, Equatable {
    package var username = ""
    package var password = ""
    /// Base64 of "user:password".
    package var auth = ""
    package var serverAddress = ""
    package var identityToken = ""
    package var registryToken = ""

    package init() {}
}

/// An image as the CRI shows it.
package struct ImageSummary: Sendable, Equatable {
    /// Digest of its configuration.
    package var id: String
    package var repoTags: [String]
    package var repoDigests: [String]
    package var sizeBytes: UInt64
    /// The image's USER: a number, or a name, or neither.
    package var uid: Int64?
    package var username: String
    package var isPinned: Bool
    /// The image's configuration as JSON, for verbose statuses.
    package var configurationJSON: String

    package init(
        id: String, repoTags: [String], repoDigests: [String], sizeBytes: UInt64, uid: Int64?, username: String,
        isPinned: Bool,
        configurationJSON: String
    ) {
        self.id = id
        self.repoTags = repoTags
        self.repoDigests = repoDigests
        self.sizeBytes = sizeBytes
        self.uid = uid
        self.username = username
        self.isPinned = isPinned
        self.configurationJSON = configurationJSON
    }
}

package struct FilesystemUse: Sendable, Equatable {
    /// Nanoseconds since 1970 when it was measured.
    package var timestamp: Int64
    package var mountpoint: String
    package var usedBytes: UInt64
    package var inodesUsed: UInt64

    package init(timestamp: Int64, mountpoint: String, usedBytes: UInt64, inodesUsed: UInt64) {
        self.timestamp = timestamp
        self.mountpoint = mountpoint
        self.usedBytes = usedBytes
        self.inodesUsed = inodesUsed
    }
}
