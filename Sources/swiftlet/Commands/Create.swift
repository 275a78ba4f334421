import ArgumentParser
import CLICore
import CRIProto
import SwiftProtobuf

struct Create: RuntimeCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create a container in a pod.",
        usage: "swiftlet create [OPTIONS] POD CONTAINER-FILE POD-FILE")

    @Argument(help: "The pod's id or the beginning of it.", completion: .pods)
    var pod: String

    @Argument(help: "The container's configuration: a JSON or YAML file, as crictl reads it.", completion: .file())
    var containerFile: String

    @Argument(help: "The pod's configuration, the same as for runp.", completion: .file())
    var podFile: String

    @Flag(help: "Pull the image first.")
    var withPull = false

    @Flag(help: "Do not pull the image first, whatever the client's configuration says.")
    var noPull = false

    @OptionGroup var registry: RegistryOptions

    @OptionGroup var user: RegistryUser

    @OptionGroup var patience: PullPatience

    @Option(name: [.customShort("T"), .long], help: "Give up after this time (default: 2m).")
    var cancelTimeout: String?

    func validate() throws {
        if withPull, noPull { throw ValidationError("--with-pull and --no-pull cannot both be given") }
    }

    func run(_ session: Session) async throws {
        let container = try readContainerConfig(containerFile)
        let podConfig = try readPodConfig(podFile)
        let limit = try parseCancelTimeout(cancelTimeout) ?? session.slow
        if withPull || (session.pullsOnCreate && !noPull) {
            _ = try await session.pull(
                container.image.image, credentials: try await registry.credentials(of: user.username),
                annotations: container.image.annotations, pod: podConfig, within: try patience.limit())
        }
        guard let podID = try await session.podIDs([pod]).first else { return }
        let id = try await session.createContainer(container, in: podID, podConfig, within: limit)
        try session.console.line(id)
    }
}

extension Session {
    /// Creates a container and returns its id.
    func createContainer(
        _ container: Runtime_V1_ContainerConfig, in podID: String, _ pod: Runtime_V1_PodSandboxConfig,
        within limit: Duration
    ) async throws -> String {
        let request = Runtime_V1_CreateContainerRequest.with {
            $0.podSandboxID = podID
            $0.config = container
            $0.sandboxConfig = pod
        }
        return try await runtime.call(
            CRIMethods.createContainer, request, within: limit, to: "create container \"\(container.metadata.name)\""
        )
        .containerID
    }

    /// Starts a created container.
    func startContainer(_ id: String) async throws {
        _ = try await runtime.call(
            CRIMethods.startContainer, .with { $0.containerID = id }, within: slow, to: "start container \"\(id)\"")
    }

    /// Stops a container: its stop signal, then after `grace` SIGKILL.
    func stopContainer(_ id: String, grace: Int64) async throws {
        let request = Runtime_V1_StopContainerRequest.with {
            $0.containerID = id
            $0.timeout = grace
        }
        _ = try await runtime.call(
            CRIMethods.stopContainer, request, within: slow + .seconds(grace), patience: patience,
            to: "stop container \"\(id)\"")
    }

    /// Removes a container, whatever it does.
    func removeContainer(_ id: String) async throws {
        _ = try await runtime.call(
            CRIMethods.removeContainer, .with { $0.containerID = id }, within: slow, patience: patience,
            to: "remove container \"\(id)\"")
    }

    /// Stops a pod with all its containers.
    func stopPod(_ id: String) async throws {
        _ = try await runtime.call(
            CRIMethods.stopPodSandbox, .with { $0.podSandboxID = id }, within: slow, patience: patience,
            to: "stop pod \"\(id)\"")
    }

    /// Removes a pod with all its containers.
    func removePod(_ id: String) async throws {
        _ = try await runtime.call(
            CRIMethods.removePodSandbox, .with { $0.podSandboxID = id }, within: slow, patience: patience,
            to: "remove pod \"\(id)\"")
    }

    /// The state of a container.
    func containerStatus(_ id: String, verbose: Bool = false) async throws -> Runtime_V1_ContainerStatusResponse {
        let request = Runtime_V1_ContainerStatusRequest.with {
            $0.containerID = id
            $0.verbose = verbose
        }
        return try await runtime.call(
            CRIMethods.containerStatus, request, within: quick, patience: patience, to: "look up container \"\(id)\"")
    }
}
