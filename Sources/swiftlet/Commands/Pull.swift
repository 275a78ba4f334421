import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Pull: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Pull an image from a registry.",
        usage: "swiftlet pull [OPTIONS] NAME[:TAG|@DIGEST]")

    @Argument(help: "NAME[:TAG|@DIGEST]", completion: .images)
    var name: String

    @OptionGroup var registry: RegistryOptions

    @OptionGroup var user: RegistryUser

    @Option(help: "Pull as for the pod of this file, JSON or YAML.", completion: .file())
    var podConfig: String?

    @Option(
        name: .shortAndLong, parsing: .singleValue, help: "An annotation of the request, KEY=VALUE. May be repeated.")
    var annotation: [String] = []

    @OptionGroup var patience: PullPatience

    @Option(help: "How far it is is shown as: auto (bars on a terminal), plain (lines) or none.")
    var progress = PullStyle.auto

    @Flag(name: .shortAndLong, help: "Show nothing but the image's id.")
    var quiet = false

    func run(_ session: Session) async throws {
        let limit = try patience.limit()
        let pod = try podConfig.map { try readPodConfig($0) }
        let reference = try await session.pull(
            name, credentials: try await registry.credentials(of: user.username),
            annotations: try parsePairs(annotation, "--annotation"),
            pod: pod,
            within: limit, as: quiet ? .none : progress)
        try session.console.line((quiet ? "" : "Image is up to date for ") + printable(reference))
    }
}

extension Session {
    /// Pulls an image, shows meanwhile how far it is, and returns the reference that the runtime gives it.
    func pull(
        _ name: String, credentials: Runtime_V1_AuthConfig?, annotations: [String: String] = [:],
        pod: Runtime_V1_PodSandboxConfig? = nil, within limit: Duration? = nil, as style: PullStyle = .auto
    ) async throws -> String {
        let request = Runtime_V1_PullImageRequest.with {
            $0.image.image = name
            $0.image.annotations = annotations
            if let credentials { $0.auth = credentials }
            if let pod { $0.sandboxConfig = pod }
        }
        return try await showingPull(name, as: style) {
            try await images.call(CRIMethods.pullImage, request, within: limit, to: "pull \"\(name)\"").imageRef
        }
    }
}
