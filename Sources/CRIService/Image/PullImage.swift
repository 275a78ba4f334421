import CRIProto
import Model
import SwiftProtobuf

extension CRIService {
    func pullImage(_ request: Runtime_V1_PullImageRequest) async throws -> Runtime_V1_PullImageResponse {
        let image = try Check.present(request.hasImage, request.image, "image")
        try Translate.image(image, "image")
        // The pod that wants it, often sent without a name: nothing of a pull depends on it.
        try Check.map(request.sandboxConfig.labels, "sandbox_config.labels")
        try Check.map(request.sandboxConfig.annotations, "sandbox_config.annotations")
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
