import StreamClient
import Streaming
import Testing

extension StreamingTests {
    @Suite struct TLSTests {
        @Test func everythingGoesThroughTLSWhereItIsConfigured() async throws {
            try await Certificate.with { certificate in
                try await Fixture.run {
                    $0.tls = certificate.files
                } _: { fixture in
                    let url = try fixture.execURL(.all)
                    #expect(url.hasPrefix("https://127.0.0.1:"))
                    let client = try await SPDYClient(url, ["v4.channel.k8s.io"], tls: certificate.client)
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
        }

        @Test(arguments: StreamOptions.Transport.allCases)
        func ourClientTrustsAnAuthorityAndNobodyElse(_ transport: StreamOptions.Transport) async throws {
            try await Certificate.with { certificate in
                try await Fixture.run {
                    $0.tls = certificate.files
                } _: { fixture in
                    let streams = RemoteStreams(stdin: true, stdout: true, stderr: true, tty: false)
                    var options = StreamOptions(transport: transport)
                    let untrusted = try StreamURL(try fixture.execURL(.all))
                    await #expect(throws: StreamError.self) {
                        _ = try await RemoteCommand.open(untrusted, streams, options)
                    }
                    #expect(fixture.target.calls == 0)
                    options.tls.authorityFile = certificate.files.certificateChain
                    let client = try await RemoteCommand.open(
                        try StreamURL(try fixture.execURL(.all)), streams, options)
                    let process = await fixture.target.session()
                    try await client.send(Array("question".utf8))
                    #expect(await process.stdin.readText(8) == "question")
                    await process.stdout.write("answer")
                    process.end(3)
                    #expect(await client.next() == .stdout(Array("answer".utf8)))
                    #expect(await client.next() == nil)
                    #expect(try client.outcome() == .exited(3))
                    client.close()
                }
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
