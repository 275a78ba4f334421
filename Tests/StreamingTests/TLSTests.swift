import Foundation
import NIOSSL
import Streaming
import Testing

extension StreamingTests {
    @Suite struct TLSTests {
        /// A self-signed certificate for 127.0.0.1.
        private func makeFiles(in directory: URL) throws -> StreamingConfiguration.TLSFiles {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let files = StreamingConfiguration.TLSFiles(
                certificateChain: directory.appending(path: "chain.pem").path,
                privateKey: directory.appending(path: "key.pem").path)
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
            return files
        }

        @Test func everythingGoesThroughTLSWhereItIsConfigured() async throws {
            let directory = FileManager.default.temporaryDirectory.appending(path: "streaming-\(UUID())")
            defer { try? FileManager.default.removeItem(at: directory) }
            let files = try makeFiles(in: directory)
            var client = TLSConfiguration.makeClientConfiguration()
            client.trustRoots = .file(files.certificateChain)
            let context = try NIOSSLContext(configuration: client)
            try await Fixture.run {
                $0.tls = files
            } _: { fixture in
                let url = try fixture.execURL(.all)
                #expect(url.hasPrefix("https://127.0.0.1:"))
                let client = try await SPDYClient(url, ["v4.channel.k8s.io"], tls: context)
                let streams = try await client.open(StreamChoice.all.types())
                let process = await fixture.target.session()
                let block = [UInt8](repeating: 9, count: 1 << 20)
                for _ in 0..<16 { await process.stdout.write(block) }
                streams["stdin"]?.write("question")
                #expect(await process.stdin.readText(8) == "question")
                process.end(0)
                #expect(await streams["stdout"]?.log.whole().sum == Checksum(block, times: 16))
                #expect(await streams["error"]?.log.whole().text == #"{"metadata":{},"status":"Success"}"#)
                await client.closed()

                // Without TLS there is nothing to be had.
                let plain = try await RawClient(try fixture.execURL(.all))
                plain.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
                #expect(await !plain.log.whole().text.contains("HTTP"))
                await plain.close()
            }
        }

        @Test func filesThatAreNoneAreAnErrorWithTheirNames() async throws {
            var configuration = StreamingConfiguration()
            configuration.tls = .init(certificateChain: "/none/chain.pem", privateKey: "/none/key.pem")
            await #expect {
                _ = try await StreamingServer.start(FakeTarget(), configuration)
            } throws: { "\($0)".hasPrefix("read \"/none/chain.pem\" and \"/none/key.pem\": ") }
        }

        @Test func anAddressThatCannotBeHadIsAnError() async throws {
            for address in ["name.invalid", "192.0.2.1"] {
                var configuration = StreamingConfiguration()
                configuration.address = address
                await #expect {
                    _ = try await StreamingServer.start(FakeTarget(), configuration)
                } throws: { "\($0)".hasPrefix("listen on \(address) port 0: ") }
            }
        }
    }
}
