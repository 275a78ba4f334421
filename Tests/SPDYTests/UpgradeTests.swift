import NIOCore
import NIOEmbedded
import Testing

@testable import SPDY

@Suite struct UpgradeTests {
    private func start() throws -> (channel: EmbeddedChannel, recorder: Recorder, upgraded: EventLoopFuture<String>) {
        let channel = EmbeddedChannel()
        let recorder = Recorder()
        let promise = channel.eventLoop.makePromise(of: String.self)
        let upgrade = SPDYUpgrade(
            path: "/portforward/abc", host: "127.0.0.1:1", protocols: ["v2", "v1"],
            session: try SPDYSession(role: .client, delegate: recorder), upgraded: promise)
        try channel.pipeline.syncOperations.addHandler(upgrade)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/none")).wait()
        return (channel, recorder, promise.futureResult)
    }

    @Test(arguments: [1, 7, 1000]) func theSessionTakesOverWithTheFirstByteBehindTheAnswer(_ pieceBytes: Int) throws {
        let (channel, _, upgraded) = try start()
        let request = try #require(try channel.readOutbound(as: ByteBuffer.self))
        #expect(
            String(buffer: request)
                == "POST /portforward/abc HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
                + "Content-Length: 0\r\nX-Stream-Protocol-Version: v2\r\nX-Stream-Protocol-Version: v1\r\n\r\n")
        var peer = try Peer()
        var answer = ByteBuffer(
            string: "HTTP/1.1 101 Switching Protocols\r\nUPGRADE:SPDY/3.1\r\nX-Stream-Protocol-Version: v1 \r\n\r\n")
        answer.writeImmutableBuffer(peer.bytes(.ping(2)))
        while let piece = answer.readSlice(length: min(pieceBytes, answer.readableBytes)), piece.readableBytes > 0 {
            try channel.writeInbound(piece)
        }
        #expect(try upgraded.wait() == "v1")
        var sent = ByteBuffer()
        while let part = try channel.readOutbound(as: ByteBuffer.self) { sent.writeImmutableBuffer(part) }
        #expect(try events(of: [sent]).last == .control(.ping(2)))
        #expect(throws: (any Error).self) { try channel.pipeline.syncOperations.handler(type: SPDYUpgrade.self) }
        _ = try channel.finish()
    }

    @Test func aRefusalCarriesTheReason() throws {
        let (channel, _, upgraded) = try start()
        try channel.writeInbound(ByteBuffer(string: "HTTP/1.1 403 Forbidden\r\nContent-Length: 14\r\n\r\nno such "))
        #expect(channel.isActive)
        try channel.writeInbound(ByteBuffer(string: "thing\n"))
        #expect(throws: SPDYUpgrade.Refusal(httpStatus: 403, description: "no such thing")) { try upgraded.wait() }
        #expect(!channel.isActive)
    }

    @Test(arguments: ["", "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n", "garbage\r\n\r\n"])
    func aConnectionThatEndsIsARefusal(_ answer: String) throws {
        let (channel, _, upgraded) = try start()
        if !answer.isEmpty { try channel.writeInbound(ByteBuffer(string: answer)) }
        _ = try channel.finish(acceptAlreadyClosed: true)
        #expect(throws: SPDYUpgrade.Refusal.self) { try upgraded.wait() }
    }

    @Test func anAnswerWithoutEndIsRefused() throws {
        let (channel, _, upgraded) = try start()
        let line = ByteBuffer(string: "HTTP/1.1 101 " + String(repeating: "x", count: 10_000))
        for _ in 0..<8 where channel.isActive { try channel.writeInbound(line) }
        #expect(throws: SPDYUpgrade.Refusal.self) { try upgraded.wait() }
    }
}
