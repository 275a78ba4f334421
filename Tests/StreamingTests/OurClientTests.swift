import Model
import StreamClient
import Streaming
import Testing

extension StreamingTests {
    /// The client of our own command line.
    @Suite struct OurClientTests {
        @Test(arguments: StreamOptions.Transport.allCases)
        func aCommandIsFedAndEndsWithItsCode(_ transport: StreamOptions.Transport) async throws {
            try await Fixture.run { fixture in
                let client = try await RemoteCommand.open(
                    try StreamURL(try fixture.execURL(.all)),
                    RemoteStreams(stdin: true, stdout: true, stderr: true, tty: false),
                    StreamOptions(transport: transport))
                let process = await fixture.target.session()
                let block = [UInt8](repeating: 5, count: 1 << 20)
                async let reading = process.stdin.read(9 << 20)
                for _ in 0..<8 { try await client.send(block) }
                #expect(await client.endInput())
                #expect(await reading.count == 8 << 20)
                async let writing: Void = {
                    for _ in 0..<16 { await process.stdout.write(block) }
                    await process.stderr.write("done")
                    process.end(42)
                }()
                var output = 0
                var error: [UInt8] = []
                while let item = await client.next() {
                    switch item {
                    case .stdout(let bytes): output += bytes.count
                    case .stderr(let bytes): error += bytes
                    }
                }
                await writing
                #expect(output == 16 << 20 && error == Array("done".utf8))
                #expect(try client.outcome() == .exited(42))
                client.close()
                #expect(process.probe.count("abandon") == 0)
            }
        }

        @Test(arguments: StreamOptions.Transport.allCases)
        func aTerminalIsResizedAndLeft(_ transport: StreamOptions.Transport) async throws {
            try await Fixture.run { fixture in
                let client = try await RemoteCommand.open(
                    try StreamURL(try fixture.attachURL(.terminal)),
                    RemoteStreams(stdin: true, stdout: true, stderr: false, tty: true),
                    StreamOptions(transport: transport))
                let process = await fixture.target.session()
                client.resize(rows: 50, columns: 132)
                await process.probe.wait(for: "resize")
                #expect(process.sizes == [.init(rows: 50, columns: 132)])
                client.close()
                await process.probe.wait(for: "abandon")
            }
        }
    }
}
