import Model
import OCI
import Testing

@testable import Registry

@Suite(.timeLimit(.minutes(10))) struct RealRegistryTests {
    private func push(_ image: SampleImage, to registry: DebianRegistry) async throws {
        for blob in [image.config, image.layer] {
            try await registry.push(blob, digest: digest(blob).description, to: "app/one")
        }
        try await registry.push(manifest: image.manifest, type: ImageMediaType.ociManifest, as: "v1", to: "app/one")
    }

    @Test func `an image is pulled from a real registry by tag and by digest`() async throws {
        let registry = try await DebianRegistry.start()
        let image = SampleImage(layerSize: 3_000_000)
        try await push(image, to: registry)
        try await withClient { client in
            for name in ["app/one:v1", "app/one@\(digest(image.manifest))"] {
                let session = try client.session(
                    for: try ImageReference("\(registry.authority)/\(name)"), credentials: nil)
                let descriptor = try await session.resolve()
                #expect(descriptor == image.manifestDescriptor)
                #expect(try await session.manifest(descriptor) == image.manifest)
                #expect(try await collect(session, image.layerDescriptor) == image.layer)
            }
            for name in ["app/one:v2", "app/two:v1"] {
                let session = try client.session(
                    for: try ImageReference("\(registry.authority)/\(name)"), credentials: nil)
                await #expect { _ = try await session.resolve() } throws: {
                    ($0 as? RegistryError)?.fault.code == .notFound
                }
            }
        }
        try registry.stop()
    }

    @Test func `a real registry's password is asked for each time`() async throws {
        let registry = try await DebianRegistry.start(
            passwordFile: "user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n",
            authorization: "Basic dXNlcjpzZWNyZXQ=")
        let image = SampleImage()
        try await push(image, to: registry)
        try await withClient { client in
            for (password, isRight) in [("secret", true), ("wrong", false), ("secret", true), ("", false)] {
                let credentials = try RegistryCredentials(username: password.isEmpty ? "" : "user", password: password)
                let session = try client.session(
                    for: try ImageReference("\(registry.authority)/app/one:v1"), credentials: credentials)
                if isRight {
                    #expect(try await session.resolve() == image.manifestDescriptor)
                } else {
                    await #expect { _ = try await session.resolve() } throws: {
                        ($0 as? RegistryError)?.fault.code == .unauthenticated
                    }
                }
            }
        }
        try registry.stop()
    }
}
