import Glibc
import Model
import NIOCore
import NIOSSL
import Streaming
import Synchronization
import TestKit
import Testing

extension StreamingTests {
    @Suite(.timeLimit(.minutes(2))) struct StormTests {
        /// CVE-2025-64329: an attach whose client goes stays with the server for good.
        @Test func aThousandAttachedClientsThatGoLeaveNothing() async throws {
            try await Fixture.run { fixture in
                var memory = 0
                for round in 0..<1000 {
                    // What the first ones make is kept for all.
                    if round == 100 { memory = try residentBytes() }
                    let url = try fixture.attachURL(.all)
                    let channel: any Channel
                    if round % 2 == 0 {
                        channel = try await WebSocketClient(url, "v5.channel.k8s.io").channel
                    } else {
                        let client = try await RawSPDY(url)
                        client.open(StreamChoice.all.types())
                        channel = client.raw.channel
                    }
                    let process = await fixture.target.session(round)
                    switch round % 8 / 2 {
                    case 0: try await abort(channel)
                    case 1:
                        try await channel.close(mode: .output).get()
                        await becomesClosed(channel)
                    case 2:
                        try await channel.setOption(.autoRead, value: false).get()
                        await process.stdout.write([UInt8](repeating: 1, count: 50_000))
                        try await abort(channel)
                    default:
                        channel.writeAndFlush(ByteBuffer(repeating: 0, count: 10_000), promise: nil)
                        channel.close(promise: nil)
                        await becomesClosed(channel)
                    }
                    await process.probe.wait(for: "abandon")
                    #expect(process.probe.count("abandon") == 1)
                }
                await fixture.waitForConnections { $0 == 0 }
                await fixture.waitForDescriptors { $0 == 0 }
                #expect(try residentBytes() - memory < 16 << 20)
            }
        }

        /// CVE-2022-23471: each size that comes for a process that never starts stays for good.
        @Test(arguments: [true, false]) func sizesForACommandThatNeverStartsLeaveNothing(isAborted: Bool) async throws {
            try await Fixture.run { fixture in
                let gate = Gate()
                fixture.target.fail(with: Fault(.internal, "execute \"nonsense\""))
                if isAborted { fixture.target.hold(at: gate) }
                let sizes = (0..<100).map { #"{"Width":\#($0),"Height":1}"# + "\n" }.joined()
                let memory = try residentBytes()
                for _ in 0..<100 {
                    let client = try await SPDYClient(try fixture.execURL(.terminal), ["v4.channel.k8s.io"])
                    let streams = try await client.open(StreamChoice.terminal.types())
                    streams["resize"]?.write(sizes)
                    if isAborted {
                        try await client.abort()
                    } else {
                        #expect(await streams["error"]?.log.whole().text.contains("nonsense") == true)
                        await client.closed()
                    }
                }
                await fixture.waitForConnections { $0 == 0 }
                gate.open()
                await fixture.waitForDescriptors { $0 == 0 }
                #expect(fixture.target.calls == 100)
                #expect(try residentBytes() - memory < 16 << 20)
            }
        }

        @Test func malformedFramesOverTLSEndTheConnection() async throws {
            try await Certificate.with { certificate in
                try await Fixture.run {
                    $0.tls = certificate.files
                } _: { fixture in
                    let bombs = try AbuseTests.bombs()
                    let memory = try residentBytes()
                    for bomb in bombs {
                        let client = try await RawSPDY(try fixture.execURL(.all), tls: certificate.client)
                        client.raw.send(bomb)
                        await client.raw.log.wait { $0.bytes.suffix(16).starts(with: [0x80, 3, 0, 7]) || $0.isOver }
                        await client.raw.close()
                    }
                    #expect(fixture.target.calls == 0)
                    for (number, breach) in WebSocketTests.breaches.enumerated() {
                        let url = try fixture.execURL(.all)
                        let client = try await WebSocketClient(url, breach.name, tls: certificate.client)
                        let process = await fixture.target.session(number)
                        client.send(breach.bytes)
                        #expect(await client.closeCode() == breach.code, "\(breach.testDescription)")
                        client.channel.close(promise: nil)
                        await client.closed()
                        await process.probe.wait(for: "abandon")
                    }
                    #expect(try residentBytes() - memory < 16 << 20)
                }
            }
        }

        @Test(arguments: [false, true]) func aWebSocketThatIsReadSlowlyHoldsUpItsProcessAlone(hasTLS: Bool) async throws
        {
            try await Certificate.with { certificate in
                try await Fixture.run {
                    if hasTLS { $0.tls = certificate.files }
                } _: { fixture in
                    let tls = hasTLS ? certificate.client : nil
                    let slow = try await WebSocketClient(
                        try fixture.execURL(.output), "v5.channel.k8s.io", tls: tls)
                    let process = await fixture.target.session()
                    try await slow.channel.setOption(.autoRead, value: false).get()
                    let written = Mutex(0)
                    let block = [UInt8](repeating: 3, count: 1 << 20)
                    async let writing: Void = {
                        for _ in 0..<64 {
                            await process.stdout.write(block)
                            written.withLock { $0 += 1 }
                        }
                    }()
                    let memory = try residentBytes()
                    for number in 1...3 {
                        let other = try await SPDYClient(
                            try fixture.execURL(.output), ["v4.channel.k8s.io"], tls: tls)
                        let streams = try await other.open(StreamChoice.output.types())
                        let process = await fixture.target.session(number)
                        for _ in 0..<4 { await process.stdout.write(block) }
                        process.end(0)
                        #expect(await streams["stdout"]?.log.whole().sum == Checksum(block, times: 4))
                        await other.closed()
                    }
                    // The buffers of both sockets, of the pipe, and of the server.
                    #expect(written.withLock { $0 } < 32)
                    #expect(try residentBytes() - memory < 32 << 20)
                    try await slow.channel.setOption(.autoRead, value: true).get()
                    await writing
                    process.end(0)
                    _ = await slow.closeCode()
                    #expect(slow.logs[1].content.sum == Checksum(block, times: 64))
                    await slow.close()
                }
            }
        }

        @Test func randomBytesBesideAndInsideOfTLS() async throws {
            var generator = SeededGenerator.announced("random bytes beside and inside of TLS")
            try await Certificate.with { certificate in
                try await Fixture.run {
                    $0.tls = certificate.files
                } _: { fixture in
                    for round in 0..<150 {
                        let bytes = generator.bytes(countMax: 2000)
                        let url = try fixture.execURL(.all)
                        switch round % 3 {
                        case 0:
                            let client = try await RawClient(url)
                            // A record of a handshake, or nothing that TLS knows.
                            client.send((round % 2 == 0 ? [22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3] : []) + bytes)
                            await client.close()
                        case 1:
                            let client = try await RawSPDY(url, tls: certificate.client)
                            client.open(["error", "stdin"])
                            client.raw.send(bytes)
                            try await abort(client.raw.channel)
                        default:
                            let client = try await WebSocketClient(url, "v5.channel.k8s.io", tls: certificate.client)
                            client.send(bytes)
                            try await abort(client.channel)
                        }
                    }
                    await fixture.waitForConnections { $0 == 0 }
                    await fixture.waitForDescriptors { $0 == 0 }
                }
            }
        }

        @Test func manyClientsOfTLSThatGoLeaveNothing() async throws {
            try await Certificate.with { certificate in
                try await Fixture.run {
                    $0.tls = certificate.files
                } _: { fixture in
                    var memory = 0
                    for round in 0..<300 {
                        if round == 60 { memory = try residentBytes() }
                        let url = try fixture.execURL(.all)
                        switch round % 4 {
                        // Before a handshake, and after one.
                        case 0: try await abort(try await RawClient(url).channel)
                        case 1:
                            let client = try await RawClient(url, tls: certificate.client)
                            try await client.sendAndWait(Array("GET /exec/".utf8))
                            try await abort(client.channel)
                        case 2:
                            let client = try await RawSPDY(url, tls: certificate.client)
                            client.open(StreamChoice.all.types())
                            try await abort(client.raw.channel)
                        default:
                            let client = try await WebSocketClient(url, "v5.channel.k8s.io", tls: certificate.client)
                            client.send([UInt8](repeating: 1, count: 10_000), on: 0)
                            try await drop(client.channel)
                        }
                    }
                    await fixture.waitForConnections { $0 == 0 }
                    await fixture.waitForDescriptors { $0 == 0 }
                    for number in 0..<fixture.target.calls {
                        let process = await fixture.target.session(number)
                        await process.probe.wait(for: "abandon")
                        #expect(process.probe.count("abandon") == 1)
                    }
                    #expect(fixture.target.calls >= 75)
                    #expect(try residentBytes() - memory < 16 << 20)
                }
            }
        }
    }
}

/// Drops a connection with a RST.
func abort(_ channel: any Channel) async throws {
    // It is closed already where the server was faster.
    try? await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    try await drop(channel)
}

/// Closes the socket without a word of what is above it, such as TLS's goodbye.
func drop(_ channel: any Channel) async throws {
    try await channel.eventLoop.submit {
        let tls = try? channel.pipeline.syncOperations.context(handlerType: NIOSSLClientHandler.self)
        if let tls { tls.close(promise: nil) } else { channel.close(promise: nil) }
    }.get()
    await becomesClosed(channel)
}
