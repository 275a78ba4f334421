import Foundation
import GRPC
import SwiftProtobuf
import Testing

private func repeated(_ count: Int, _ frames: (UInt32) -> [RawFrame]) -> [UInt8] {
    (0..<UInt32(count)).flatMap { frames($0).flatMap(\.bytes) }
}

/// What a hostile client sends after the opening, and how the connection must end.
struct Abuse: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var bytes: @Sendable () -> [UInt8]
    /// The code of the GOAWAY before the end; nil if there may be any or none.
    var goAway: UInt32?

    private static let calm: UInt32 = 11
    private static let echo = "/test.Echo/Inline"

    static let all: [Abuse] = [
        Abuse(
            testDescription: "PING flood",
            bytes: { repeated(4000) { _ in [RawFrame(.ping, [1, 2, 3, 4, 5, 6, 7, 8])] } }, goAway: calm),
        Abuse(
            testDescription: "SETTINGS flood", bytes: { repeated(4000) { _ in [RawFrame(.settings)] } }, goAway: calm),
        Abuse(
            testDescription: "PRIORITY flood",
            bytes: { repeated(4000) { _ in [RawFrame(.priority, stream: 1, [0, 0, 0, 0, 1])] } }, goAway: calm),
        Abuse(
            testDescription: "WINDOW_UPDATE flood",
            bytes: { repeated(4000) { _ in [RawFrame(.windowUpdate, [0, 0, 0, 1])] } }, goAway: calm),
        Abuse(
            testDescription: "rapid reset",
            bytes: {
                repeated(4000) {
                    [RawFrame.call($0 * 2 + 1, echo), RawFrame(.reset, stream: $0 * 2 + 1, [0, 0, 0, 8])]
                }
            }, goAway: calm),
        Abuse(
            testDescription: "provoked resets (MadeYouReset)",
            bytes: {
                repeated(4000) {
                    [RawFrame.call($0 * 2 + 1, echo), RawFrame(.windowUpdate, stream: $0 * 2 + 1, [0, 0, 0, 0])]
                }
            }),
        Abuse(
            testDescription: "CONTINUATION flood",
            bytes: {
                RawFrame(.headers, stream: 1, [0]).bytes
                    + repeated(4000) { _ in [RawFrame(.continuation, stream: 1, [])] }
            }, goAway: calm),
        Abuse(
            testDescription: "empty DATA flood",
            bytes: { RawFrame.call(1, echo).bytes + repeated(4000) { _ in [RawFrame.data(1, [], endStream: false)] } },
            goAway: calm),
        Abuse(
            testDescription: "HPACK bomb",
            bytes: {
                // One entry of 3,900 bytes in the dynamic table, then references to it, one byte each.
                let entry = [0x40] + RawFrame.literal("x") + RawFrame.literal(String(repeating: "y", count: 3900))
                let bomb = entry + [UInt8](repeating: 0xbe, count: 12_000)
                return RawFrame(.headers, flags: RawFrame.endHeaders, stream: 1, bomb).bytes
            }),
        Abuse(
            testDescription: "header list of 1 MiB",
            bytes: {
                let block = RawFrame.block([("x", String(repeating: "y", count: 1 << 20))])
                let pieces = stride(from: 0, to: block.count, by: 16384).map {
                    Array(block[$0..<min($0 + 16384, block.count)])
                }
                let rest = pieces.dropFirst().flatMap { RawFrame(.continuation, stream: 1, $0).bytes }
                return RawFrame(.headers, stream: 1, pieces[0]).bytes + rest
            }),
        Abuse(
            testDescription: "header block that is no HPACK",
            bytes: {
                RawFrame(.headers, flags: RawFrame.endHeaders, stream: 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).bytes
            }),
        Abuse(
            testDescription: "frame larger than allowed",
            bytes: { RawFrame.header(length: 0xff_ffff, kind: 0, flags: 0, stream: 1) }),
        Abuse(testDescription: "DATA on an idle stream", bytes: { RawFrame.data(7, [1]).bytes }),
        Abuse(testDescription: "HEADERS on a server's stream", bytes: { RawFrame.call(2, echo).bytes }),
        Abuse(testDescription: "HEADERS on stream 0", bytes: { RawFrame.call(0, echo).bytes }),
        Abuse(
            testDescription: "stream numbers going back",
            bytes: { RawFrame.call(9, echo).bytes + RawFrame.call(7, echo).bytes }),
        Abuse(
            testDescription: "PUSH_PROMISE",
            bytes: { RawFrame(.pushPromise, flags: RawFrame.endHeaders, stream: 1, [0, 0, 0, 2]).bytes }),
        Abuse(
            testDescription: "window overflow",
            bytes: { repeated(2) { _ in [RawFrame(.windowUpdate, [0x7f, 0xff, 0xff, 0xff])] } }),
        Abuse(testDescription: "window of 0 more", bytes: { RawFrame(.windowUpdate, [0, 0, 0, 0]).bytes }),
        Abuse(testDescription: "SETTINGS of a wrong size", bytes: { RawFrame(.settings, [0, 3, 0]).bytes }),
        Abuse(
            testDescription: "SETTINGS with an impossible window",
            bytes: { RawFrame(.settings, [0, 4, 0xff, 0xff, 0xff, 0xff]).bytes }),
        Abuse(testDescription: "PING of a wrong size", bytes: { RawFrame(.ping, [1]).bytes }),
        Abuse(
            testDescription: "headers interrupted by another frame",
            bytes: { RawFrame(.headers, stream: 1, [0]).bytes + RawFrame(.ping, [0, 0, 0, 0, 0, 0, 0, 0]).bytes }),
        Abuse(testDescription: "lone CONTINUATION", bytes: { RawFrame(.continuation, stream: 1, [0]).bytes }),
        Abuse(
            testDescription: "padding longer than the frame",
            bytes: {
                RawFrame.call(1, echo).bytes + RawFrame(.data, flags: RawFrame.padded, stream: 1, [200, 1, 2]).bytes
            }),
        Abuse(
            testDescription: "more streams than allowed",
            bytes: { repeated(1100) { [RawFrame.call($0 * 2 + 1, echo)] } }),
        Abuse(
            testDescription: "malformed header names",
            bytes: { RawFrame.request(1, RawFrame.requestHeaders(echo, more: [("UPPER", "x")])).bytes }),
        Abuse(
            testDescription: "no path",
            bytes: { RawFrame.request(1, [(":method", "POST"), (":scheme", "http")]).bytes }),
    ]
}

/// Clients that break the rules of HTTP/2: the connection ends, the server serves on, nothing is left behind.
@Suite(.timeLimit(.minutes(10))) struct AbuseTests {
    @Test(arguments: Abuse.all)
    func `an abusive connection is ended`(abuse: Abuse) async throws {
        try await TestServer.with { server in
            let raw = try await RawConnection(server.path)
            raw.send(RawFrame.opening + abuse.bytes())
            await raw.waitUntilClosed()
            if let code = abuse.goAway { #expect(raw.goAwayCode == code) }
            try await expectHealthy(server)
        }
    }

    @Test(arguments: 0..<40)
    func `bytes that are no HTTP/2 end the connection`(seed: Int) async throws {
        try await TestServer.with({ $0.prefaceTimeout = .seconds(1) }) { server in
            let raw = try await RawConnection(server.path)
            var random = SeededGenerator(seed: UInt64(seed))
            let length = Int.random(in: 0..<200, using: &random)
            let noise = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            raw.send(seed % 4 == 0 ? Array(RawFrame.preface.prefix(length)) : noise)
            await raw.waitUntilClosed()
            try await expectHealthy(server)
        }
    }

    @Test(arguments: 0..<60)
    func `random frames do no harm`(seed: Int) async throws {
        try await TestServer.with { server in
            let raw = try await RawConnection(server.path)
            var random = SeededGenerator(seed: UInt64(seed) &+ 1000)
            raw.send(RawFrame.opening)
            for number in 0..<200 {
                if Int.random(in: 0..<3, using: &random) == 0 {
                    // A sound call between the noise keeps some connections alive for longer.
                    let stream = UInt32(number * 2 + 1)
                    raw.send([RawFrame.call(stream, "/test.Echo/Inline"), RawFrame.data(stream, RawFrame.message([]))])
                }
                raw.send([randomFrame(using: &random)])
            }
            await raw.close()
            try await expectHealthy(server)
        }
    }

    @Test(arguments: ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}"])
    func `other protocols are ended`(text: String) async throws {
        try await TestServer.with { server in
            let raw = try await RawConnection(server.path)
            raw.send(Array(text.utf8) + [UInt8](repeating: 0, count: 100))
            await raw.waitUntilClosed()
            try await expectHealthy(server)
        }
    }

    @Test func `a client that drips its preface is ended in time`() async throws {
        try await TestServer.with({ $0.prefaceTimeout = .seconds(1) }) { server in
            let silent = try await RawConnection(server.path)
            let started = try await RawConnection(server.path)
            started.send(Array(RawFrame.preface.prefix(10)))
            let withoutSettings = try await RawConnection(server.path)
            withoutSettings.send(RawFrame.preface)
            for raw in [silent, started, withoutSettings] { await raw.waitUntilClosed() }
            try await expectHealthy(server)
        }
    }

    @Test func `a client that takes no responses loses its calls and frees their memory`() async throws {
        try await TestServer.with({
            $0.stallTimeout = .seconds(1)
            $0.bufferedBytesMax = 4 << 20
        }) { server in
            let raw = try await RawConnection(server.path)
            // SETTINGS_INITIAL_WINDOW_SIZE 0: no stream may send a byte of DATA. The request asks for 1 MiB.
            raw.send(RawFrame.preface + RawFrame(.settings, [0, 4, 0, 0, 0, 0]).bytes)
            for number in UInt32(0)..<100 {
                let stream = number * 2 + 1
                raw.send([
                    RawFrame.call(stream, "/test.Echo/Big"),
                    RawFrame.data(stream, RawFrame.message([0x08, 0x80, 0x80, 0x40])),
                ])
            }
            var resets = 0
            var refusals = 0
            while resets + refusals < 100, let frame = await raw.next() {
                if frame.kind == RawFrame.Kind.reset.rawValue { resets += 1 }
                let isEnd = frame.kind == RawFrame.Kind.headers.rawValue && frame.flags & RawFrame.endStream != 0
                if isEnd { refusals += 1 }
            }
            #expect(resets == 3)
            #expect(refusals == 97)
            let client = try await GRPCClient(unixPath: server.path)
            let big: Bytes = try await client.unary("/test.Echo/Big", Number(3 << 20))
            #expect(big.value.count == 3 << 20)
            await client.close()
            await raw.close()
            try await expectHealthy(server)
        }
    }

    @Test func `a client that does not even read its socket loses it, and frees its memory`() async throws {
        try await TestServer.with({
            $0.stallTimeout = .milliseconds(200)
            $0.bufferedBytesMax = 4 << 20
        }) { server in
            let raw = try await RawConnection(server.path, isReading: false)
            // The largest windows that there can be: nothing but the socket holds the response back, and a reset too.
            raw.send(
                RawFrame.preface + RawFrame(.settings, [0, 4, 0x7f, 0xff, 0xff, 0xff]).bytes
                    + RawFrame(.windowUpdate, [0x7f, 0xff, 0, 0]).bytes)
            raw.send([
                RawFrame.call(1, "/test.Echo/Big"),
                RawFrame.data(1, RawFrame.message([0x08, 0x80, 0x80, 0xc0, 0x01])),
            ])
            await server.probe.wait(for: "report")
            #expect(server.callReports.map(\.responseBytes) == [(3 << 20) + 10])
            try await expectNoConnections(server)
            let client = try await GRPCClient(unixPath: server.path)
            let big: Bytes = try await client.unary("/test.Echo/Big", Number(3 << 20))
            #expect(big.value.count == 3 << 20)
            await client.close()
            await raw.close()
        }
    }

    @Test func `requests that never end are dropped in time`() async throws {
        try await TestServer.with({ $0.stallTimeout = .seconds(1) }) { server in
            let raw = try await RawConnection(server.path)
            raw.send(RawFrame.opening)
            raw.send([RawFrame.call(1, "/test.Echo/Inline"), RawFrame.data(1, [0, 0, 0], endStream: false)])
            let response = try #require(await raw.response(of: 1))
            #expect(response["reset"] == "8")
            await raw.close()
            try await expectHealthy(server)
        }
    }

    private func randomFrame(using random: inout SeededGenerator) -> RawFrame {
        let length = Int.random(in: 0..<40, using: &random)
        return RawFrame(
            kind: UInt8.random(in: 0...12, using: &random), flags: UInt8.random(in: .min ... .max, using: &random),
            stream: UInt32.random(in: 0..<50, using: &random),
            payload: (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }
}

/// A healthy client is answered, and no connection is left after it.
func expectHealthy(_ server: TestServer, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let client = try await GRPCClient(unixPath: server.path)
    let response: Text = try await client.unary("/test.Echo/Unary", Text("healthy"))
    #expect(response.value == "healthy", sourceLocation: sourceLocation)
    await client.close()
    try await expectNoConnections(server, sourceLocation: sourceLocation)
}

/// The server has closed every connection.
func expectNoConnections(_ server: TestServer, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    // The server notices a closed connection a moment later. The limit says that it never will, and not how fast it has to be.
    let limit = ContinuousClock.now + .seconds(120)
    while await server.server.connectionCount() > 0 {
        guard ContinuousClock.now < limit else {
            Issue.record("connections are left", sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// A generator that gives the same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
