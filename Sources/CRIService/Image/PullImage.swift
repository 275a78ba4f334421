import CRIProto
import Model
import SwiftProtobuf

extension CRIService {
    func pullImage(_ request: Runtime_V1_PullImageRequest) async throws -> Runtime_V1_PullImageResponse {
        let image = try Check.present(request.hasImage, request.image, "image")
        try Translate.image(image, "image")
        // Labels and annotations of the pod that wants it: checked, and nothing of a pull depends on them.
        if request.hasSandboxConfig {
            do {
                _ = try Translate.pod(request.sandboxConfig, handler: "")
            } catch {
                throw Fault(error.code, "sandbox_\(error.message)")
            }
        }
        let id = try await images.pull(image.image, credentials: try Self.credentials(request.auth))
        return .with { $0.imageRef = id }
    }

    private static func credentials(_ auth: Runtime_V1_AuthConfig) throws(Fault) -> PullCredentials {
        for (field, value) in [
            ("username", auth.username), ("password", auth.password), ("auth", auth.auth),
            ("server_address", auth.serverAddress), ("identity_token", auth.identityToken),
            ("registry_token", auth.registryToken),
        ] {
            try Check.text(value, "auth.\(field)", bytesMax: 64 << 10)
        }
        var credentials = PullCredentials()
        credentials.username = auth.username
        credentials.password = auth.password
        credentials.auth = auth.auth
        credentials.serverAddress = auth.serverAddress
        credentials.identityToken = auth.identityToken
        credentials.registryToken = auth.registryToken
        return credentials
    }
}
