import NIOCore
import NIOEmbedded
import TestKit
import Testing

@testable import SPDY

/// Any bytes give frames or an `SPDYError`, and a session that still has its bounds. A trap would end the test process.
@Suite struct FuzzTests {
    /// What a client of a remote command and of a forwarded port might send.
    private func transcript(_ generator: inout SeededGenerator) throws -> [UInt8] {
        var peer = try Peer()
        var bytes = ByteBuffer()
        var id: UInt32 = 1
        for _ in 0..<Int.random(in: 1...12, using: &generator) {
            switch Int.random(in: 0..<8, using: &generator) {
            case 0...2:
                bytes.writeImmutableBuffer(
                    peer.bytes(
                        .synStream(
                            id: id, headers: ["streamType": generator.pick(["error", "stdin", "data"]), "port": "80"],
                            isLast: generator.chance(oneIn: 4), isUnidirectional: false)))
                id += 2
            case 3: bytes.writeImmutableBuffer(peer.bytes(.ping(UInt32.random(in: 1...9, using: &generator))))
            case 4: bytes.writeImmutableBuffer(peer.bytes(.settings([.init(id: 7, value: 1 << 16)])))
            case 5: bytes.writeImmutableBuffer(peer.bytes(.windowUpdate(id: id - 2 * (id / 3), delta: 1000)))
            case 6: bytes.writeImmutableBuffer(peer.bytes(.rstStream(id: max(3, id) - 2, status: .cancel)))
            default:
                bytes.writeImmutableBuffer(
                    Peer.data(max(3, id) - 2, generator.bytes(countMax: 300), isLast: generator.chance(oneIn: 5)))
            }
        }
        return [UInt8](bytes.readableBytesView)
    }

    /// Gives bytes to a server in random pieces; it must come out ended or within its limits.
    private func feed(_ bytes: [UInt8], _ generator: inout SeededGenerator) throws {
        let end = try End(.server)
        end.recorder.consumes = generator.chance(oneIn: 2)
        end.recorder.takes = { stream in
            stream.accept()
            stream.write(ByteBuffer(string: "hello"))
        }
        var rest = bytes[...]
        while !rest.isEmpty, end.channel.isActive {
            let count = min(rest.count, Int.random(in: 1...200, using: &generator))
            try end.receive(ByteBuffer(bytes: rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        #expect(end.session.streamCount <= end.session.limits.streamsMax)
        #expect(end.session.bufferedBytes <= bytes.count && end.session.bufferedBytes >= 0)
        // What it has sent itself is always well-formed.
        _ = try end.frames()
        _ = try end.channel.finish(acceptAlreadyClosed: true)
        #expect(end.recorder.endings == 1)
        #expect(end.session.streamCount == 0 && end.session.bufferedBytes == 0)
    }

    @Test func randomBytes() throws {
        var generator = SeededGenerator.announced("random bytes")
        for round in 0..<4000 {
            var bytes = generator.bytes(countMax: 300)
            if round % 2 == 0 { bytes = [0x80, 3, 0, UInt8.random(in: 0...11, using: &generator), 0, 0, 0] + bytes }
            try feed(bytes, &generator)
        }
    }

    @Test func mutatedFrames() throws {
        var generator = SeededGenerator.announced("mutated frames")
        for _ in 0..<3000 {
            var bytes = try transcript(&generator)
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes.remove(at: index)
                case 1: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
                default:
                    let random = UInt8.random(in: 0...255, using: &generator)
                    bytes[index] = generator.pick([0, 1, 0x7f, 0x80, 0xff, random])
                }
                if bytes.isEmpty { break }
            }
            try feed(bytes, &generator)
        }
    }

    @Test func everyTruncationWaitsForMore() throws {
        var generator = SeededGenerator.announced("every truncation")
        for _ in 0..<10 {
            let bytes = try transcript(&generator)
            let whole = try events(of: [ByteBuffer(bytes: bytes)])
            for length in 0..<bytes.count {
                let cut = try events(of: [ByteBuffer(bytes: bytes.prefix(length))])
                #expect(cut.count <= whole.count)
            }
        }
    }
}
