import Foundation
import Model
import NIOHTTP1
import NIOSSL
import OCI
import Testing

@testable import Registry

@Suite(.timeLimit(.minutes(10))) struct RegistryTLSTests {
    /// A self-signed certificate for 127.0.0.1 in `directory`.
    private func certificate(in directory: String) throws -> NIOSSLContext {
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=registry",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "\(directory)/key.pem", "-out", "\(directory)/ca.pem",
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        try #require(openssl.terminationStatus == 0)
        let chain = try NIOSSLCertificate.fromPEMFile("\(directory)/ca.pem").map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(file: "\(directory)/key.pem", format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
    }

    @Test func `an unknown authority is refused, a configured one and skip_verify are obeyed, and https is never left`()
        async throws
    {
        let scratch = try Scratch()
        let image = SampleImage()
        let context = try certificate(in: scratch.path)
        try await withServer({ asked, _ in image.reply(to: asked) }) { plain in
            let server = try await FaultServer.start(tls: context) { asked, _ in
                asked.path.contains("/blobs/")
                    ? .status(.found, ["location": "http://\(plain.authority)\(asked.path)"]) : image.reply(to: asked)
            }
            for (settings, isTrusted) in [("", false), ("ca = \"ca.pem\"", true), ("skip_verify = true", true)] {
                try scratch.write(
                    "server = \"https://\(server.authority)\"\n\(settings)", to: "registry.example/hosts.toml")
                try FileManager.default.copyItem(
                    atPath: "\(scratch.path)/ca.pem", toPath: "\(scratch.path)/registry.example/ca.pem", replacing: true
                )
                try await withClient(hosts: scratch.path) { client in
                    let session = try client.session(
                        for: try ImageReference("registry.example/app:v1"), credentials: nil)
                    guard isTrusted else {
                        await #expect { _ = try await session.resolve() } throws: { error in
                            (error as? RegistryError)?.fault.description.hasPrefix("RegistryUnavailable") == true
                        }
                        return
                    }
                    #expect(try await session.resolve().digest == digest(image.manifest))
                    await #expect { _ = try await collect(session, image.layerDescriptor) } throws: { error in
                        if case .malformed(_, let reason) = error as? RegistryError {
                            reason.contains("https to http")
                        } else {
                            false
                        }
                    }
                }
            }
            #expect(plain.requests.isEmpty)
            try await server.stop()
        }
    }

    @Test func `a certificate file that is none is a configuration error`() async throws {
        let scratch = try Scratch()
        try scratch.write("ca = \"ca.pem\"", to: "registry.example/hosts.toml")
        try scratch.write("nothing", to: "registry.example/ca.pem")
        try await withClient(hosts: scratch.path) { client -> Void in
            #expect {
                _ = try client.session(for: try ImageReference("registry.example/app:v1"), credentials: nil)
            } throws: { ($0 as? RegistryError)?.fault.code == .failedPrecondition }
        }
    }
}

extension FileManager {
    fileprivate func copyItem(atPath source: String, toPath target: String, replacing: Bool) throws {
        if replacing, fileExists(atPath: target) { try removeItem(atPath: target) }
        try copyItem(atPath: source, toPath: target)
    }
}
