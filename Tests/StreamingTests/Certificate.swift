import Foundation
import NIOSSL
import Streaming
import TestKit
import Testing

/// A self-signed certificate for 127.0.0.1, and what a client needs to trust it.
struct Certificate: Sendable {
    let files: StreamingConfiguration.TLSFiles
    let client: NIOSSLContext

    /// Makes one for as long as a test runs.
    static func with(_ body: (Certificate) async throws -> Void) async throws {
        let directory = try TemporaryRoot("streaming")
        defer { withExtendedLifetime(directory) {} }
        let files = StreamingConfiguration.TLSFiles(
            certificateChain: directory.path + "/chain.pem", privateKey: directory.path + "/key.pem")
        let openssl = Process()
        openssl.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=streaming", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", files.privateKey, "-out",
            files.certificateChain,
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.run()
        openssl.waitUntilExit()
        try #require(openssl.terminationStatus == 0)
        var settings = TLSConfiguration.makeClientConfiguration()
        settings.trustRoots = .file(files.certificateChain)
        try await body(Certificate(files: files, client: try NIOSSLContext(configuration: settings)))
    }
}
