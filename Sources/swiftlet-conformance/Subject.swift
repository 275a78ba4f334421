import CLICore
import CRIProto
import GRPC
import SwiftProtobuf

/// The runtime under test.
final class Subject: Sendable {
    let settings: Settings
    let runtimeName: String
    let runtimeVersion: String
    /// Whether the runtime names cgroups as systemd does; one that does not say is taken to use paths.
    let usesSystemd: Bool
    private let runtime: GRPCClient
    private let images: GRPCClient

    struct Settings: Sendable {
        var endpoint: Endpoint
        var imageEndpoint: Endpoint
        var handler = ""
        /// An image with busybox.
        var image = "docker.io/library/busybox:latest"
        /// A second image, which is pulled and removed.
        var otherImage = "docker.io/library/busybox:docker"
        var unusedImage = "docker.io/swiftlet/volumes:latest"
        /// How long a case may take.
        var limit = Duration.seconds(60)
        /// A directory under the same path for the runtime and for us.
        var directory = "/tmp"
    }

    init(_ settings: Settings) async throws {
        self.settings = settings
        runtime = try await Self.client(settings.endpoint)
        do {
            images =
                settings.imageEndpoint == settings.endpoint ? runtime : try await Self.client(settings.imageEndpoint)
            let version: Runtime_V1_VersionResponse = try await runtime.unary(
                CRIMethods.version.path, Runtime_V1_VersionRequest(), timeout: .seconds(10))
            runtimeName = version.runtimeName
            runtimeVersion = version.runtimeVersion
            usesSystemd = await Self.usesSystemd(runtime)
        } catch {
            await runtime.close()
            throw Failure("ask \(settings.endpoint) for its version: \(error)")
        }
    }

    private static func usesSystemd(_ client: GRPCClient) async -> Bool {
        do {
            let config: Runtime_V1_RuntimeConfigResponse = try await client.unary(
                CRIMethods.runtimeConfig.path, Runtime_V1_RuntimeConfigRequest(), timeout: .seconds(10))
            return config.linux.cgroupDriver == .systemd
        } catch {
            return false
        }
    }

    private static func client(_ endpoint: Endpoint) async throws(Failure) -> GRPCClient {
        do {
            return try await GRPCClient(unixPath: endpoint.path)
        } catch {
            throw Failure("cannot reach the runtime at \(endpoint): \(error.reason)")
        }
    }

    private func client(of service: String) -> GRPCClient { service.hasSuffix("ImageService") ? images : runtime }

    func call<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request, timeout: Duration = .seconds(60)
    ) async throws(GRPCStatus) -> Response {
        try await client(of: method.service).unary(method.path, request, timeout: timeout)
    }

    func stream<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request, timeout: Duration = .seconds(60)
    ) throws(GRPCStatus) -> ResponseStream<Response> {
        try client(of: method.service).serverStream(method.path, request, timeout: timeout)
    }

    func close() async {
        await runtime.close()
        await images.close()
    }
}
