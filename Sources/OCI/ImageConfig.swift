package import Model

/// The configuration of an image: its platform, its layers' content digests and the defaults for its containers
/// (image-spec, config.md).
///
/// All of it is written by whoever built the image and is never more than a default for what a pod leaves open.
package struct ImageConfig: Codable, Equatable, Sendable {
    package static let bytesMax = 8 * 1024 * 1024

    package var os: String?
    package var architecture: String?
    package var variant: String?
    /// RFC 3339, as written by the builder.
    package var created: String?
    package var config: Defaults?
    package var rootfs: RootFS

    /// What a container runs with where the pod says nothing else.
    package struct Defaults: Codable, Equatable, Sendable {
        package var user: String?
        package var environment: [String]?
        package var entrypoint: [String]?
        package var command: [String]?
        package var volumes: [String: Nothing]?
        package var workingDirectory: String?
        package var labels: [String: String]?
        package var stopSignal: String?

        package init() {}

        enum CodingKeys: String, CodingKey {
            case user = "User"
            case environment = "Env"
            case entrypoint = "Entrypoint"
            case command = "Cmd"
            case volumes = "Volumes"
            case workingDirectory = "WorkingDir"
            case labels = "Labels"
            case stopSignal = "StopSignal"
        }
    }

    /// The digests of the uncompressed layers, lowest first.
    package struct RootFS: Codable, Equatable, Sendable {
        package var type: String
        package var diffIDs: [Digest]

        package init(diffIDs: [Digest]) {
            self.type = "layers"
            self.diffIDs = diffIDs
        }

        enum CodingKeys: String, CodingKey {
            case type
            case diffIDs = "diff_ids"
        }
    }

    /// The empty object that is the value of a key in a set; whatever is there is ignored.
    package struct Nothing: Codable, Equatable, Sendable {
        package init() {}
        package init(from decoder: any Decoder) throws {}
        package func encode(to encoder: any Encoder) throws { _ = encoder.container(keyedBy: NoKey.self) }
        private enum NoKey: CodingKey {}
    }

    package init(platform: ImagePlatform, diffIDs: [Digest], config: Defaults = Defaults()) {
        os = platform.os
        architecture = platform.architecture
        variant = platform.variant
        self.config = config
        rootfs = RootFS(diffIDs: diffIDs)
    }

    /// Decodes the bytes of a configuration blob.
    package init(decoding bytes: [UInt8]) throws(ImageFormatError) {
        let what = "image configuration"
        let decoded = try ImageJSON.decode(ImageConfig.self, from: bytes, what: what, bytesMax: Self.bytesMax)
        guard decoded.rootfs.type == "layers" else {
            throw .malformed(what: what, reason: "\"rootfs.type\" is not \"layers\"")
        }
        self = decoded
    }

    package var platform: ImagePlatform {
        ImagePlatform(os: os ?? "", architecture: architecture ?? "", variant: variant)
    }
}
