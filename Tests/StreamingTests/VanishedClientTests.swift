import Glibc
import NIOCore
import NIOSSL
import Streaming
import Synchronization
import Testing

@testable import SPDY

extension StreamingTests {
    @Suite(.timeLimit(.minutes(1))) struct VanishedClientTests {
        enum Kind: CaseIterable, Sendable { case webSocketExec, webSocketAttach, spdyExec, spdyAttach }

        /// A client whose bytes nobody reads, and what it sends again and again.
        private func flooder(
            _ kind: Kind, _ fixture: Fixture, tls: NIOSSLContext? = nil
        ) async throws -> (any Channel, [UInt8]) {
            let block = [UInt8](repeating: 5, count: 1 << 20)
            switch kind {
            case .webSocketExec, .webSocketAttach:
                let url = kind == .webSocketExec ? try fixture.execURL(.all) : try fixture.attachURL(.all)
                let client = try await WebSocketClient(url, "v4.channel.k8s.io", tls: tls)
                return (client.channel, WebSocketClient.frame(2, [0] + block))
            case .spdyExec, .spdyAttach:
                let client = try await RawSPDY(
                    kind == .spdyExec ? try fixture.execURL(.all) : try fixture.attachURL(.all), tls: tls)
                client.open(StreamChoice.all.types())
                return (client.raw.channel, RawSPDY.data(3, block))
            }
        }

        /// Sends until the server's receive buffer is full.
        private func flood(_ channel: any Channel, _ bytes: [UInt8]) async throws {
            for _ in 0..<64 { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }
            while try await sendWindow(channel) > 0 { await Task.yield() }
        }

        /// tcp_info.tcpi_snd_wnd, which glibc's structure does not have yet.
        private func sendWindow(_ channel: any Channel) async throws -> UInt32 {
            let options = try #require(channel as? any SocketOptionProvider)
            let info: InlineArray<58, UInt32> = try await options.unsafeGetSocketOption(
                level: SocketOptionLevel(IPPROTO_TCP), name: SocketOptionName(TCP_INFO)
            ).get()
            return info[57]
        }

        @Test("a client that floods an input which nobody reads and goes is missed", arguments: Kind.allCases)
        func flooded(kind: Kind) async throws {
            try await Fixture.run {
                $0.heldReadTime = .milliseconds(20)
            } _: { fixture in
                let (channel, bytes) = try await flooder(kind, fixture)
                let process = await fixture.target.session()
                try await flood(channel, bytes)
                channel.close(promise: nil)
                await process.probe.wait(for: "abandon")
                await fixture.waitForConnections { $0 == 0 }
            }
        }

        @Test(
            "a client that only waits for its bytes to be read stays",
            arguments: [Kind.webSocketExec, .spdyExec])
        func patient(kind: Kind) async throws {
            try await Fixture.run {
                $0.heldReadTime = .milliseconds(1)
            } _: { fixture in
                let (channel, bytes) = try await flooder(kind, fixture)
                let process = await fixture.target.session()
                try await flood(channel, bytes)
                // A client that is served meanwhile takes the server's loop past many looks.
                for number in 1...3 {
                    let other = try await SPDYClient(try fixture.execURL(.output), ["v4.channel.k8s.io"])
                    let streams = try await other.open(StreamChoice.output.types())
                    let session = await fixture.target.session(number)
                    await session.stdout.write([UInt8](repeating: 7, count: 4 << 20))
                    session.end(0)
                    #expect(await streams["stdout"]?.log.whole().count == 4 << 20)
                    await other.closed()
                }
                #expect(process.probe.count("abandon") == 0)
                #expect(await process.stdin.read(8 << 20).count == 8 << 20)
                process.end(0)
                await becomesClosed(channel)
            }
        }

        @Test("a client of TLS that floods an input which nobody reads and goes is missed", arguments: Kind.allCases)
        func floodedTLS(kind: Kind) async throws {
            try await Certificate.with { certificate in
                try await Fixture.run {
                    $0.tls = certificate.files
                    $0.heldReadTime = .milliseconds(20)
                } _: { fixture in
                    let (channel, bytes) = try await flooder(kind, fixture, tls: certificate.client)
                    let process = await fixture.target.session()
                    try await flood(channel, bytes)
                    try await drop(channel)
                    await process.probe.wait(for: "abandon")
                    await fixture.waitForConnections { $0 == 0 }
                }
            }
        }

        enum Way: CaseIterable, Sendable { case spdy, tunnel, channels }

        /// A client that forwards a port of whose connection nobody reads, and what it sends again and again.
        private func forwarder(_ way: Way, _ url: String) async throws -> (any Channel, [UInt8]) {
            let block = [UInt8](repeating: 5, count: 1 << 20)
            if way == .channels {
                let client = try await WebSocketClient(url, "v4.channel.k8s.io")
                return (client.channel, WebSocketClient.frame(2, [0] + block))
            }
            var encoder = try FrameEncoder()
            var opening: [UInt8] = []
            for (id, type) in [(1 as UInt32, "error"), (3, "data")] {
                let headers: SPDYHeaders = ["streamType": type, "port": "80", "requestID": "0"]
                let frame = ControlFrame.synStream(id: id, headers: headers, isLast: false, isUnidirectional: false)
                let bytes = encoder.encode(frame, ByteBufferAllocator())
                opening += [UInt8](buffer: try #require(bytes))
            }
            if way == .spdy {
                let client = try await RawSPDY(url, "portforward.k8s.io")
                client.raw.send(opening)
                return (client.raw.channel, RawSPDY.data(3, block))
            }
            let client = try await WebSocketClient(url, "SPDY/3.1+portforward.k8s.io")
            client.send(WebSocketClient.frame(2, opening))
            return (client.channel, WebSocketClient.frame(2, RawSPDY.data(3, block)))
        }

        @Test("a client that floods a pod which does not read and goes is missed", arguments: Way.allCases)
        func forwarding(way: Way) async throws {
            try await Fixture.run {
                $0.heldReadTime = .milliseconds(20)
            } _: { fixture in
                let listener = EchoListener()
                fixture.target.ports.withLock { $0[80] = listener }
                let url = try fixture.server.portForwardURL(pod: fixture.pod, ports: [80])
                let (channel, bytes) = try await forwarder(way, url)
                let pod = await listener.accept()
                try await flood(channel, bytes)
                channel.close(promise: nil)
                await fixture.waitForConnections { $0 == 0 }
                pod.close()
                fixture.target.ports.withLock { $0 = [:] }
            }
        }

        @Test("a node that vanishes without a word is missed", .enabled(if: geteuid() == 0), arguments: [true, false])
        func vanished(floods: Bool) async throws {
            try await Fixture.run {
                $0.keepAliveTime = .seconds(1)
                // Not what is tried here.
                $0.heldReadTime = .seconds(1000)
            } _: { fixture in
                let (channel, bytes) = try await flooder(.spdyExec, fixture)
                let process = await fixture.target.session()
                if floods { try await flood(channel, bytes) }
                let options = try #require(channel as? any SocketOptionProvider)
                // TCP_REPAIR: a socket that is closed in it sends nothing (linux/tcp.h, 19).
                try await options.unsafeSetSocketOption(
                    level: SocketOptionLevel(IPPROTO_TCP), name: SocketOptionName(19), value: 1 as CInt
                ).get()
                channel.close(promise: nil)
                await process.probe.wait(for: "abandon")
                await fixture.waitForConnections { $0 == 0 }
            }
        }
    }
}
