import NIOCore
import NIOEmbedded
import Testing

@testable import SPDY

@Suite struct SessionTests {
    private func bytes(_ count: Int) -> ByteBuffer {
        ByteBuffer(bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) })
    }

    /// A client's stream and the server's end of it.
    private func openStream(_ connection: Connection) throws -> (ours: SPDYStream, theirs: SPDYStream) {
        let ours = try #require(
            connection.client.session.open(["streamType": "data"], delegate: connection.client.recorder))
        try connection.exchange()
        return (ours, try #require(connection.server.recorder.opened.last))
    }

    @Test func streamsCarryBytesBothWaysAndEndOneDirectionAtATime() throws {
        let connection = try Connection()
        let (ours, theirs) = try openStream(connection)
        #expect(ours.id == 1 && theirs.id == 1)
        #expect(theirs.headers["streamtype"] == "data")
        #expect(connection.client.recorder.accepted == [1])

        ours.write(ByteBuffer(string: "question"))
        ours.finish()
        try connection.exchange()
        #expect(connection.server.recorder.received[1] == Array("question".utf8))
        #expect(connection.server.recorder.ended == [1])
        #expect(theirs.isPeerOpen == false)

        theirs.write(ByteBuffer(string: "answer"))
        theirs.finish()
        try connection.exchange()
        #expect(connection.client.recorder.received[1] == Array("answer".utf8))
        #expect(connection.client.recorder.ended == [1])
        #expect(connection.client.session.streamCount == 0 && connection.server.session.streamCount == 0)
        #expect(connection.client.recorder.resets.isEmpty && connection.server.recorder.resets.isEmpty)
    }

    @Test func aResetEndsBothDirections() throws {
        let connection = try Connection()
        let (ours, theirs) = try openStream(connection)
        ours.reset(.cancel)
        theirs.write(ByteBuffer(string: "on its way"))
        try connection.exchange()
        #expect(connection.server.recorder.resets == [1: .cancel])
        #expect(connection.client.recorder.resets.isEmpty)
        #expect(connection.client.session.streamCount == 0 && connection.server.session.streamCount == 0)
        #expect(connection.client.session.phase == .running)
    }

    /// moby/spdystream sends no SETTINGS and no WINDOW_UPDATE.
    @Test func aPeerWithoutFlowControlGetsEverythingAndIsToldNoWindows() throws {
        let server = try End(.server)
        server.recorder.takes = { $0.accept() }
        var peer = try Peer()
        try server.receive(peer.bytes(.synStream(id: 1, headers: [:], isLast: false, isUnidirectional: false)))
        let stream = try #require(server.recorder.opened.first)
        _ = try server.frames()
        stream.write(ByteBuffer(repeating: 7, count: 10 << 20))
        #expect(try server.takeOutput().readableBytes == 10 << 20 + FrameFormat.headBytes)
        for _ in 0..<100 { try server.receive(Peer.data(1, [UInt8](repeating: 1, count: 1 << 16))) }
        #expect(server.recorder.received[1]?.count == 100 << 16)
        #expect(try server.takeOutput().readableBytes == 0)
    }

    @Test func aPeerWithFlowControlIsSentWhatItsWindowAllows() throws {
        var limits = SPDYLimits()
        limits.windowBytes = 100_000
        let connection = try Connection(clientLimits: limits)
        let (_, theirs) = try openStream(connection)
        connection.client.recorder.consumes = false

        theirs.write(bytes(250_000))
        theirs.finish()
        try connection.exchange()
        #expect(connection.client.recorder.received[1]?.count == 100_000)
        #expect(!theirs.isWritable && theirs.pending.count == 1)

        let client = try #require(connection.client.session.streams[1])
        for expected in [200_000, 250_000] {
            client.consumed(100_000)
            try connection.exchange()
            #expect(connection.client.recorder.received[1]?.count == expected)
        }
        #expect(connection.client.recorder.received[1] == Array(bytes(250_000).readableBytesView))
        #expect(connection.client.recorder.ended == [1])
    }

    @Test func oneStreamThatIsNotReadDoesNotHoldUpAnother() throws {
        let connection = try Connection()
        let (_, slow) = try openStream(connection)
        connection.client.recorder.consumes = false
        slow.write(ByteBuffer(repeating: 7, count: 10 << 20))
        try connection.exchange()
        #expect(connection.client.recorder.received[1]?.count == connection.client.session.limits.windowBytes)

        connection.client.recorder.consumes = true
        let (_, fast) = try openStream(connection)
        fast.write(ByteBuffer(repeating: 7, count: 20 << 20))
        try connection.exchange()
        #expect(connection.client.recorder.received[3]?.count == 20 << 20)
    }

    @Test func theOwnerIsToldWhenAStreamIsWritableAgain() throws {
        let connection = try Connection()
        let (_, theirs) = try openStream(connection)
        connection.client.recorder.consumes = false
        connection.server.recorder.writable = []
        theirs.write(bytes(connection.client.session.limits.windowBytes))
        #expect(!theirs.isWritable)
        try connection.exchange()
        #expect(connection.server.recorder.writable.isEmpty)
        connection.client.session.streams[1]?.consumed(connection.client.session.limits.windowBytes)
        try connection.exchange()
        #expect(connection.server.recorder.writable == [1] && theirs.isWritable)
    }

    @Test func theSocketIsNotReadWhileTooMuchIsUnconsumed() throws {
        var limits = SPDYLimits()
        limits.bufferedBytesMax = 1000
        let server = try End(.server, limits: limits)
        server.recorder.consumes = false
        var peer = try Peer()
        try server.receive(peer.bytes(.synStream(id: 1, headers: [:], isLast: false, isUnidirectional: false)))
        try server.receive(Peer.data(1, [UInt8](repeating: 1, count: 999)))
        let before = server.gate.reads
        server.channel.read()
        #expect(server.gate.reads == before + 1)

        try server.receive(Peer.data(1, [1]))
        let full = server.gate.reads
        server.channel.read()
        #expect(server.gate.reads == full)

        server.recorder.opened.first?.consumed(1)
        #expect(server.gate.reads == full + 1)
    }

    @Test func whatAResetStreamHeldNoLongerCounts() throws {
        let server = try End(.server)
        server.recorder.consumes = false
        var peer = try Peer()
        try server.receive(peer.bytes(.synStream(id: 1, headers: [:], isLast: false, isUnidirectional: false)))
        try server.receive(Peer.data(1, [UInt8](repeating: 1, count: 5000)))
        let stream = try #require(server.recorder.opened.first)
        #expect(server.session.bufferedBytes == 5000)
        stream.reset(.cancel)
        #expect(server.session.bufferedBytes == 0)
        stream.consumed(5000)
        #expect(server.session.bufferedBytes == 0)
    }

    @Test func moreStreamsThanAllowedAreRefusedAndInTheEndThePeerIsCutOff() throws {
        var limits = SPDYLimits()
        limits.streamsMax = 2
        limits.strayFramesMax = 3
        let server = try End(.server, limits: limits)
        var peer = try Peer()
        _ = try server.frames()
        var id: UInt32 = 1
        func open() throws -> [FrameDecoder.Event] {
            try server.receive(peer.bytes(.synStream(id: id, headers: [:], isLast: false, isUnidirectional: false)))
            id += 2
            return try server.frames()
        }
        _ = try open()
        _ = try open()
        for _ in 0..<3 {
            let refused = id
            #expect(try open() == [.control(.rstStream(id: refused, status: .refusedStream))])
        }
        #expect(server.recorder.opened.count == 2)
        #expect(try open() == [.control(.goAway(lastID: id - 2, status: .protocolError))])
        #expect(server.recorder.failure != nil)
    }

    @Test func aPeerThatDoesNotReadItsAnswersIsCutOff() throws {
        var limits = SPDYLimits()
        limits.queuedAnswersMax = 100
        let server = try End(.server, limits: limits)
        var peer = try Peer()
        for _ in 0..<1000 { try server.receive(peer.bytes(.ping(1))) }
        #expect(server.recorder.failure == nil)
        server.gate.holds = true
        for _ in 0..<101 { try server.receive(peer.bytes(.ping(1))) }
        #expect(server.recorder.failure != nil)
        _ = try server.channel.finish(acceptAlreadyClosed: true)
    }

    @Test func pingsOfThePeerAreAnswered() throws {
        let server = try End(.server)
        _ = try server.frames()
        var peer = try Peer()
        try server.receive(peer.bytes(.ping(5), .ping(6)))
        #expect(try server.frames() == [.control(.ping(5))])
    }

    enum Breach: CaseIterable {
        case evenStream, repeatedStream, backwardStream, dataOfNoStream, garbage, endlessWindow
    }

    @Test(arguments: Breach.allCases) func aBreachOfTheProtocolEndsTheSessionOnce(_ breach: Breach) throws {
        let server = try End(.server)
        _ = try server.frames()
        var peer = try Peer()
        try server.receive(peer.bytes(.synStream(id: 3, headers: [:], isLast: false, isUnidirectional: false)))
        _ = try server.frames()
        func open(_ id: UInt32) -> ByteBuffer {
            peer.bytes(.synStream(id: id, headers: [:], isLast: false, isUnidirectional: false))
        }
        let wrong =
            switch breach {
            case .evenStream: open(4)
            case .repeatedStream: open(3)
            case .backwardStream: open(1)
            case .dataOfNoStream: Peer.data(7, [1])
            case .garbage: ByteBuffer(bytes: [UInt8](repeating: 0xff, count: 100))
            case .endlessWindow: peer.bytes(.windowUpdate(id: 0, delta: 0x7fff_ffff))
            }
        try server.receive(wrong)
        #expect(try server.frames().last == .control(.goAway(lastID: 3, status: .protocolError)))
        #expect(server.recorder.failure != nil && server.recorder.endings == 1)
        #expect(server.recorder.resets == [3: .cancel])
        try server.receive(open(9))
        #expect(server.recorder.opened.count == 1)
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!server.channel.isActive)
        #expect(server.recorder.endings == 1)
    }

    @Test func bytesAfterTheEndOfAStreamResetItAlone() throws {
        let server = try End(.server)
        var peer = try Peer()
        try server.receive(peer.bytes(.synStream(id: 1, headers: [:], isLast: true, isUnidirectional: false)))
        _ = try server.frames()
        try server.receive(Peer.data(1, [1]))
        #expect(try server.frames() == [.control(.rstStream(id: 1, status: .streamAlreadyClosed))])
        #expect(server.recorder.resets == [1: .streamAlreadyClosed] && server.recorder.endings == 0)
        try server.receive(Peer.data(1, [1]))
        #expect(try server.frames().isEmpty)
    }

    @Test func closingSendsWhatWasWrittenThenResetsThenGoAway() throws {
        let server = try End(.server)
        var peer = try Peer()
        for id in [1, 3] as [UInt32] {
            try server.receive(peer.bytes(.synStream(id: id, headers: [:], isLast: false, isUnidirectional: false)))
        }
        _ = try server.frames()
        server.recorder.opened[0].write(ByteBuffer(string: "last words"))
        server.recorder.opened[0].finish()
        server.session.close()
        #expect(
            try server.frames().suffix(3) == [
                .control(.rstStream(id: 1, status: .cancel)), .control(.rstStream(id: 3, status: .cancel)),
                .control(.goAway(lastID: 3, status: .ok)),
            ])
        #expect(server.recorder.endings == 1 && server.recorder.failure == nil)
        #expect(server.channel.isActive)
        server.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!server.channel.isActive)
    }

    @Test func closingWaitsForAWindow() throws {
        let connection = try Connection()
        let (_, theirs) = try openStream(connection)
        connection.client.recorder.consumes = false
        let window = connection.client.session.limits.windowBytes
        theirs.write(bytes(window + 10))
        theirs.finish()
        connection.server.session.close()
        try connection.exchange()
        #expect(connection.server.recorder.endings == 0)
        connection.client.session.streams[1]?.consumed(window)
        try connection.exchange()
        #expect(connection.client.recorder.received[1]?.count == window + 10)
        #expect(connection.server.recorder.endings == 1)
    }

    @Test func aPeerThatLeavesIsFollowedWhenNoStreamIsLeft() throws {
        let connection = try Connection()
        let (ours, _) = try openStream(connection)
        var peer = try Peer()
        try connection.client.receive(peer.bytes(.goAway(lastID: 1, status: .ok)))
        #expect(connection.client.session.open([:], delegate: connection.client.recorder) == nil)
        #expect(connection.client.recorder.endings == 0)
        ours.reset(.cancel)
        #expect(connection.client.recorder.endings == 1)
    }

    @Test func aLostConnectionResetsEveryStreamOnce() throws {
        let connection = try Connection()
        _ = try openStream(connection)
        _ = try openStream(connection)
        _ = try connection.server.channel.finish()
        #expect(connection.server.recorder.resets == [1: .cancel, 3: .cancel])
        #expect(connection.server.recorder.endings == 1 && connection.server.recorder.failure == nil)
    }
}
