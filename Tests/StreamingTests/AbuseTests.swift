import Model
import NIOCore
import Streaming
import Synchronization
import TestKit
import Testing

@testable import SPDY

extension StreamingTests {
    @Suite struct AbuseTests {
        /// A client that is served while others misbehave.
        private func healthyExec(_ fixture: Fixture) async throws {
            let before = fixture.target.calls
            let client = try await SPDYClient(try fixture.execURL(.all), ["v4.channel.k8s.io"])
            let streams = try await client.open(StreamChoice.all.types())
            let process = await fixture.target.session(before)
            let block = [UInt8](repeating: 7, count: 1 << 20)
            for _ in 0..<8 { await process.stdout.write(block) }
            process.end(0)
            #expect(await streams["stdout"]?.log.whole().count == 8 << 20)
            #expect(await streams["error"]?.log.whole().text == #"{"metadata":{},"status":"Success"}"#)
            await client.closed()
        }

        @Test func aThousandClientsThatGoLeaveNothing() async throws {
            try await Fixture.run { fixture in
                let memory = try residentBytes()
                for round in 0..<1000 {
                    let url = try fixture.execURL(.all)
                    switch round % 6 {
                    case 0:
                        await (try await RawClient(url)).close()
                    case 1:
                        let client = try await RawClient(url)
                        client.send(Array("GET /exec/".utf8))
                        await client.close()
                    case 2:
                        let client = try await SPDYClient(url, ["v4.channel.k8s.io"])
                        try await client.abort()
                    case 3:
                        let client = try await SPDYClient(url, ["v4.channel.k8s.io"])
                        _ = try await client.open(["error", "stdin"])
                        try await client.abort()
                    case 4:
                        let client = try await SPDYClient(url, ["v4.channel.k8s.io"])
                        let streams = try await client.open(StreamChoice.all.types())
                        streams["stdin"]?.write([UInt8](repeating: 1, count: 100_000))
                        try await client.abort()
                    default:
                        let client = try await WebSocketClient(url, "v5.channel.k8s.io")
                        client.send([UInt8](repeating: 1, count: 100_000), on: 0)
                        await client.close()
                    }
                }
                await fixture.waitForConnections { $0 == 0 }
                await fixture.waitForDescriptors { $0 == 0 }
                for number in 0..<fixture.target.calls {
                    let process = await fixture.target.session(number)
                    await process.probe.wait(for: "abandon")
                    #expect(process.probe.count("abandon") == 1)
                    // Before its pipes are closed: it must not die of that first, and leave its children.
                    #expect(process.probe.count("client is gone") == 1)
                }
                #expect(fixture.target.calls > 200)
                try await healthyExec(fixture)
                #expect(try residentBytes() - memory < 32 << 20)
            }
        }

        @Test func aClientThatGoesWhileItsCommandStartsAbandonsIt() async throws {
            try await Fixture.run { fixture in
                let gate = Gate()
                fixture.target.hold(at: gate)
                let client = try await SPDYClient(try fixture.execURL(.all), ["v4.channel.k8s.io"])
                _ = try await client.open(StreamChoice.all.types())
                try await client.abort()
                await fixture.waitForConnections { $0 == 0 }
                gate.open()
                let process = await fixture.target.session()
                await process.probe.wait(for: "abandon")
                #expect(process.probe.count("abandon") == 1)
                #expect(process.probe.count("client is gone") == 1)
            }
        }

        /// Headers that inflate without end, lengths and counts of nonsense, streams that were never opened.
        static func bombs() throws -> [[UInt8]] {
            [
                try RawSPDY.bomb(mebibytes: 60), try RawSPDY.bomb(mebibytes: 400),
                [0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff], [0x80, 3, 0, 4, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff],
                [0, 0, 0, 0, 0, 0, 0, 0], [UInt8](repeating: 0xff, count: 1000),
            ]
        }

        @Test func bombsAndOtherMalformedFramesEndTheConnection() async throws {
            let bombs = try Self.bombs()
            try await Fixture.run { fixture in
                let memory = try residentBytes()
                for bomb in bombs {
                    let client = try await RawSPDY(try fixture.execURL(.all))
                    client.raw.send(bomb)
                    await client.raw.log.wait { $0.bytes.suffix(16).starts(with: [0x80, 3, 0, 7]) || $0.isOver }
                    await client.raw.close()
                }
                #expect(fixture.target.calls == 0)
                #expect(try residentBytes() - memory < 8 << 20)
                try await healthyExec(fixture)
            }
        }

        @Test func randomBytesAfterTheUpgrade() async throws {
            var generator = SeededGenerator.announced("random bytes after the upgrade")
            try await Fixture.run { fixture in
                for round in 0..<200 {
                    let bytes = generator.bytes(countMax: 2000)
                    if round % 2 == 0 {
                        let client = try await RawSPDY(try fixture.execURL(.all))
                        client.open(["error", "stdin"])
                        client.raw.send(bytes)
                        await client.raw.close()
                    } else {
                        let client = try await WebSocketClient(try fixture.execURL(.all), "v5.channel.k8s.io")
                        client.send(bytes)
                        client.channel.close(promise: nil)
                        await client.closed()
                    }
                }
                await fixture.waitForConnections { $0 == 0 }
                await fixture.waitForDescriptors { $0 == 0 }
                try await healthyExec(fixture)
            }
        }

        @Test func streamsThatComeAndGoByTheHundredThousand() async throws {
            try await Fixture.run { fixture in
                let memory = try residentBytes()
                let client = try await RawSPDY(
                    try fixture.server.portForwardURL(pod: fixture.pod, ports: []), "portforward.k8s.io")
                var id: UInt32 = 1
                for _ in 0..<100 {
                    var bytes: [UInt8] = []
                    for _ in 0..<1000 {
                        let headers: SPDYHeaders = ["streamType": "data", "port": "80", "requestID": "\(id)"]
                        bytes += client.bytes(
                            .synStream(id: id, headers: headers, isLast: false, isUnidirectional: false))
                        bytes += client.bytes(.rstStream(id: id, status: .cancel))
                        id += 2
                    }
                    try await client.raw.sendAndWait(bytes)
                }
                try await healthyExec(fixture)
                #expect(try residentBytes() - memory < 32 << 20)
                await client.raw.close()
            }
        }

        @Test func aClientThatPingsAndDoesNotReadIsCutOff() async throws {
            try await Fixture.run { fixture in
                let client = try await RawSPDY(try fixture.execURL(.all))
                try await client.raw.channel.setOption(.autoRead, value: false).get()
                let pings = [[UInt8]](repeating: client.bytes(.ping(1)), count: 10_000).flatMap { $0 }
                var isOpen = true
                while isOpen {
                    do { try await client.raw.sendAndWait(pings) } catch { isOpen = false }
                }
                await fixture.waitForConnections { $0 == 0 }
                await client.raw.close()
            }
        }

        @Test func whatComesAfterABreachIsForgotten() async throws {
            try await Fixture.run { fixture in
                let memory = try residentBytes()
                let block = [UInt8](repeating: 0, count: 1 << 20)
                let socket = try await WebSocketClient(try fixture.execURL(.all), "v5.channel.k8s.io")
                let session = try await RawSPDY(try fixture.execURL(.all))
                socket.send(WebSocketClient.frame(3, [0]))
                session.raw.send([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
                for channel in [socket.channel, session.raw.channel] {
                    var count = 0
                    while count < 256 {
                        do { try await channel.writeAndFlush(ByteBuffer(bytes: block)).get() } catch { break }
                        count += 1
                    }
                    #expect(try residentBytes() - memory < 16 << 20)
                    channel.close(promise: nil)
                    await becomesClosed(channel)
                }
                await fixture.waitForConnections { $0 == 0 }
            }
        }

        @Test func aStormOfSizesEndsWithTheLast() async throws {
            try await Fixture.run { fixture in
                let client = try await SPDYClient(try fixture.execURL(.terminal), ["v4.channel.k8s.io"])
                let streams = try await client.open(StreamChoice.terminal.types())
                let process = await fixture.target.session()
                for batch in 0..<100 {
                    let sizes = (0..<1000).map { #"{"Width":\#(batch),"Height":\#($0)}"# + "\n" }.joined()
                    try await streams["resize"]?.writeAndWait(Array(sizes.utf8))
                }
                streams["resize"]?.write(#"{"Width":4242,"Height":2424}"#)
                while process.sizes.last != .init(rows: 2424, columns: 4242) {
                    await process.probe.wait(for: "resize", count: process.probe.count("resize") + 1)
                }
                process.end(0)
                _ = await streams["error"]?.log.whole()
                await client.closed()
            }
        }

        @Test func sizesThatAreNoneAreIgnored() async throws {
            try await Fixture.run { fixture in
                let client = try await SPDYClient(try fixture.execURL(.terminal), ["v4.channel.k8s.io"])
                let streams = try await client.open(StreamChoice.terminal.types())
                let process = await fixture.target.session()
                streams["resize"]?.write(#"{"Width":99999,"Height":1}"#)
                try await streams["resize"]?.writeAndWait([UInt8](repeating: 0x7b, count: 1 << 20))
                streams["stdin"]?.write("alive")
                #expect(await process.stdin.readText(5) == "alive")
                #expect(process.sizes.isEmpty)
                process.end(0)
                _ = await streams["error"]?.log.whole()
                await client.closed()
            }
        }

        @Test func aClientThatReadsSlowlyHoldsUpItsProcessAlone() async throws {
            try await Fixture.run { fixture in
                let client = try await SPDYClient(try fixture.execURL(.output), ["v4.channel.k8s.io"])
                let streams = try await client.open(StreamChoice.output.types())
                let process = await fixture.target.session()
                try await client.setReading(false)
                let written = Mutex(0)
                let block = [UInt8](repeating: 3, count: 1 << 20)
                async let writing: Void = {
                    for _ in 0..<128 {
                        await process.stdout.write(block)
                        written.withLock { $0 += 1 }
                    }
                }()
                let memory = try residentBytes()
                for _ in 0..<3 { try await healthyExec(fixture) }
                // The buffers of both sockets, of the pipe, and of the server.
                #expect(written.withLock { $0 } < 32)
                #expect(try residentBytes() - memory < 32 << 20)
                try await client.setReading(true)
                await writing
                process.end(0)
                let content = await streams["stdout"]?.log.whole()
                #expect(content?.count == 128 << 20 && content?.sum == Checksum(block, times: 128))
                await client.closed()
            }
        }

        @Test func aProcessThatReadsSlowlyHoldsUpItsClientAlone() async throws {
            try await Fixture.run { fixture in
                let client = try await RawSPDY(try fixture.execURL(.all))
                client.open(StreamChoice.all.types())
                let process = await fixture.target.session()
                let sent = Mutex(0)
                let frame = RawSPDY.data(3, [UInt8](repeating: 5, count: 1 << 20))
                let raw = client.raw
                async let sending: Void = {
                    for _ in 0..<64 {
                        try await raw.sendAndWait(frame)
                        sent.withLock { $0 += 1 }
                    }
                }()
                let memory = try residentBytes()
                for number in 0..<2 {
                    let healthy = try await SPDYClient(try fixture.execURL(.output), ["v4.channel.k8s.io"])
                    let streams = try await healthy.open(StreamChoice.output.types())
                    let other = await fixture.target.session(number + 1)
                    await other.stdout.write([UInt8](repeating: 7, count: 8 << 20))
                    other.end(0)
                    #expect(await streams["stdout"]?.log.whole().count == 8 << 20)
                    await healthy.closed()
                }
                #expect(sent.withLock { $0 } < 32)
                #expect(try residentBytes() - memory < 32 << 20)
                let bytes = await process.stdin.read(64 << 20)
                var sum = Checksum()
                sum.add(bytes)
                #expect(sum == Checksum([UInt8](repeating: 5, count: 1 << 20), times: 64))
                try await sending
                process.end(0)
                await raw.close()
            }
        }
    }
}
