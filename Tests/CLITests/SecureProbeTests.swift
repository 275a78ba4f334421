import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import swiftlet

/// Probes with the scheme HTTPS.
@Suite struct SecureProbeTests {
    /// Answers 204 to whatever comes.
    private final class Answer: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 204 X\r\n\r\n")), promise: nil)
        }
    }

    /// A certificate that nobody has signed, for another name.
    private static func context(_ directory: ScratchDirectory) throws -> NIOSSLContext {
        let (key, chain) = (directory.path + "/key.pem", directory.path + "/chain.pem")
        let openssl = Process()
        openssl.executableURL = URL(filePath: "/usr/bin/openssl")
        openssl.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
            "-subj", "/CN=elsewhere.example", "-keyout", key, "-out", chain,
        ]
        openssl.standardError = FileHandle.nullDevice
        try openssl.runWithoutMask()
        openssl.waitUntilExit()
        try #require(openssl.terminationStatus == 0)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: NIOSSLCertificate.fromPEMFile(chain).map { .certificate($0) },
                privateKey: .privateKey(NIOSSLPrivateKey(file: key, format: .pem))))
    }

    @Test("an HTTPS probe does not ask whose certificate it is, and finds no TLS where there is none")
    func secure() async throws {
        let scratch = try ScratchDirectory()
        let context = try Self.context(scratch)
        for isSecure in [true, false] {
            let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if isSecure {
                            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                        }
                        try channel.pipeline.syncOperations.addHandler(Answer())
                    }
                }.bind(host: "127.0.0.1", port: 0).get()
            let port = try #require(server.localAddress?.port)
            let problem = await NetworkProbe.get(
                host: "127.0.0.1", port: port, path: "/", headers: [], isSecure: true, within: .seconds(30))
            #expect((problem == nil) == isSecure, "\(problem ?? "")")
            try await server.close()
        }
    }
}
