import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

/// How to prove to a registry who asks.
struct RegistryOptions: ParsableArguments {
    @Option(help: "The registry's USERNAME[:PASSWORD] (default: $CRICTL_CREDS).")
    var creds: String?

    @Option(help: "The same in base64, as in a docker configuration (default: $CRICTL_AUTH).")
    var auth: String?

    func credentials() throws(Failure) -> Runtime_V1_AuthConfig? {
        if creds != nil, auth != nil { throw .usage("--creds and --auth cannot both be given") }
        let environment = CommandContext.current?.environment ?? [:]
        if let auth = auth ?? (creds == nil ? environment["CRICTL_AUTH"] : nil) { return .with { $0.auth = auth } }
        guard let creds = creds ?? environment["CRICTL_CREDS"] else { return nil }
        let parts = creds.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty else { throw .usage("--creds: the user's name is empty") }
        return .with {
            $0.username = String(name)
            $0.password = parts.count == 2 ? String(parts[1]) : ""
        }
    }
}

/// How long a pull may take.
struct PullPatience: ParsableArguments {
    @Option(
        name: [.long, .customLong("pt")],
        help: "The longest time that the pull may take (default: $CRICTL_PULL_TIMEOUT, else any).")
    var pullTimeout: String?

    func limit() throws(Failure) -> Duration? {
        let text = pullTimeout ?? CommandContext.current?.environment["CRICTL_PULL_TIMEOUT"]
        guard let text, !text.isEmpty else { return nil }
        guard let given = parseDuration(text) else {
            throw .usage("--pull-timeout \"\(printable(text))\": not a length of time such as 2m")
        }
        return given > .zero ? given : nil
    }
}

struct Pull: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Pull an image from a registry.",
        usage: "swiftlet pull [OPTIONS] NAME[:TAG|@DIGEST]")

    @Argument(help: "NAME[:TAG|@DIGEST]")
    var name: String

    @OptionGroup var registry: RegistryOptions

    @Option(help: "Pull as for the pod of this file, JSON or YAML.")
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
            name, credentials: try registry.credentials(), annotations: try parseLabels(annotation), pod: pod,
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
