import NIOCore
import TestKit
import Testing

@testable import SPDY

@Suite struct FrameTests {
    /// The length and the Adler-32 that every implementation of SPDY/3 names in its zlib header.
    @Test func dictionaryIsThatOfTheSpecification() {
        var a: UInt32 = 1
        var b: UInt32 = 0
        for byte in HeaderDictionary.bytes {
            a = (a + UInt32(byte)) % 65521
            b = (b + a) % 65521
        }
        #expect(HeaderDictionary.bytes.count == 1423)
        #expect(b << 16 | a == 0xe3c6_a7c2)
    }

    /// Blocks in a row, made with another zlib binding: the second and third are short because they refer to the first.
    @Test func headerBlocksOfAnotherImplementationShareOneState() throws {
        let blocks: [[UInt8]] = [
            hex(
                "78f9e3c6a7c202253a703a2b294a4dcc851625aca9a0808614"
                    + "cb45e01c6061606100a4398b20d198094ade8c0600000000ffff"
            ),
            hex("c2aa19540e2512d60b000000ffff"), hex("02120c00000000ffff"),
        ]
        var inflater = try HeaderInflater()
        let headers = try blocks.map { block in
            try HeaderBlock.decode(try inflater.inflate(block, max: 4096), headersMax: 8)
        }
        #expect(
            headers == [
                ["streamtype": "error", "port": "8080", "requestid": "0"],
                ["streamtype": "data", "port": "8080", "requestid": "0"],
                [:],
            ])
    }

    static let samples: [ControlFrame] = [
        .synStream(id: 1, headers: ["streamType": "error"], isLast: false, isUnidirectional: false),
        .synStream(id: 3, headers: ["streamType": "data", "port": "80"], isLast: true, isUnidirectional: true),
        .synReply(id: 1, headers: [:], isLast: false),
        .headers(id: 3, headers: ["a": String(repeating: "x", count: 5000)], isLast: true),
        .rstStream(id: 1, status: .cancel),
        .settings([.init(id: 7, value: 65536), .init(id: 4, value: 100)]),
        .settings([]),
        .ping(7),
        .goAway(lastID: 3, status: .protocolError),
        .windowUpdate(id: 0, delta: 0x7fff_ffff),
    ]

    private func transcript() throws -> (bytes: ByteBuffer, events: [FrameDecoder.Event]) {
        var peer = try Peer()
        var bytes = ByteBuffer()
        var events: [FrameDecoder.Event] = []
        for (index, sample) in Self.samples.enumerated() {
            bytes.writeImmutableBuffer(peer.bytes(sample))
            events.append(.control(sample))
            // One byte, or none: a DATA frame that arrives in several parts would be several events.
            let content: [UInt8] = index % 2 == 0 ? [9] : []
            bytes.writeImmutableBuffer(Peer.data(5, content, isLast: index % 3 == 0))
            events.append(.data(id: 5, bytes: ByteBuffer(bytes: content), isLast: index % 3 == 0))
        }
        return (bytes, events)
    }

    @Test func everyFrameSurvivesTheWayAtEverySplit() throws {
        let (bytes, expected) = try transcript()
        #expect(try events(of: [bytes]) == expected)
        #expect(try events(of: bytes.readableBytesView.map { ByteBuffer(bytes: [$0]) }) == expected)
        for split in 1..<bytes.readableBytes {
            let rest = bytes.readableBytes - split
            let pieces = [bytes.getSlice(at: 0, length: split), bytes.getSlice(at: split, length: rest)]
            #expect(try events(of: pieces.compactMap(\.self)) == expected)
        }
    }

    @Test func dataIsHandedOnAsItArrives() throws {
        var frame = FrameEncoder.dataHead(id: 1, length: 0xff_ffff, isLast: true, ByteBufferAllocator())
        frame.writeBytes([1, 2, 3])
        #expect(try events(of: [frame]) == [.data(id: 1, bytes: ByteBuffer(bytes: [1, 2, 3]), isLast: false)])
    }

    @Test func aTypeThatIsNotKnownIsIgnored() throws {
        var peer = try Peer()
        var bytes = ByteBuffer(bytes: [0x80, 3, 0, 10, 0, 0, 0, 2, 1, 1])
        bytes.writeImmutableBuffer(peer.bytes(.ping(1)))
        #expect(try events(of: [bytes]) == [.control(.ping(1))])
    }

    struct Malformed: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var bytes: [UInt8]
    }

    static let malformed: [Malformed] = [
        .init(testDescription: "DATA of stream 0", bytes: [0, 0, 0, 0, 0, 0, 0, 0]),
        .init(testDescription: "another version", bytes: [0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1]),
        .init(testDescription: "16 MiB of control frame", bytes: [0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]),
        .init(testDescription: "SYN_STREAM without fields", bytes: [0x80, 3, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1]),
        .init(
            testDescription: "SYN_STREAM without block",
            bytes: [0x80, 3, 0, 1, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        .init(testDescription: "SYN_REPLY of stream 0", bytes: [0x80, 3, 0, 2, 0, 0, 0, 4, 0, 0, 0, 0]),
        .init(testDescription: "HEADERS of garbage", bytes: [0x80, 3, 0, 8, 0, 0, 0, 8, 0, 0, 0, 1, 1, 2, 3, 4]),
        .init(testDescription: "short RST_STREAM", bytes: [0x80, 3, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1]),
        .init(testDescription: "long PING", bytes: [0x80, 3, 0, 6, 0, 0, 0, 5, 0, 0, 0, 1, 0]),
        .init(testDescription: "empty SETTINGS", bytes: [0x80, 3, 0, 4, 0, 0, 0, 0]),
        .init(testDescription: "SETTINGS of 2^32 entries", bytes: [0x80, 3, 0, 4, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff]),
        .init(testDescription: "SETTINGS that lack an entry", bytes: [0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 1]),
        .init(testDescription: "GOAWAY of SPDY/2", bytes: [0x80, 3, 0, 7, 0, 0, 0, 4, 0, 0, 0, 0]),
        .init(testDescription: "short WINDOW_UPDATE", bytes: [0x80, 3, 0, 9, 0, 0, 0, 0]),
    ]

    @Test(arguments: malformed) func malformedFramesAreErrors(_ sample: Malformed) {
        #expect(throws: SPDYError.self) { try events(of: [ByteBuffer(bytes: sample.bytes)]) }
    }

    @Test func headersAreCheckedAgainstTheirLimits() throws {
        var limits = SPDYLimits()
        limits.headersMax = 2
        limits.headerBytesMax = 100
        let blocks: [(SPDYHeaders, Bool)] = [
            (["a": "1", "b": "2"], true), (["a": "1", "b": "2", "c": "3"], false),
            (["a": String(repeating: "x", count: 87)], true), (["a": String(repeating: "x", count: 88)], false),
        ]
        for (headers, isFine) in blocks {
            var peer = try Peer()
            let bytes = peer.bytes(.headers(id: 1, headers: headers, isLast: false))
            if isFine {
                #expect(try events(of: [bytes], limits: limits).count == 1)
            } else {
                #expect(throws: SPDYError.self) { try events(of: [bytes], limits: limits) }
            }
        }
    }

    static let wrongBlocks: [[UInt8]] = [
        [0, 0, 0, 1, 0, 0, 0, 1, 0x41, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 2, 0, 0, 0, 1, 0x61, 0, 0, 0, 0, 0, 0, 0, 1, 0x61, 0, 0, 0, 0], [0, 0, 0, 0, 0],
        [0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff], [0, 0, 0, 1, 0, 0, 0, 1, 0x61], [0, 0, 0], [],
    ]

    @Test(arguments: wrongBlocks)
    func headerBlocksThatAreWrongAreErrors(_ bytes: [UInt8]) {
        #expect(throws: SPDYError.self) { try HeaderBlock.decode(bytes, headersMax: 10) }
    }

    /// 64 MiB of zeros in a frame that keeps the limit of its length.
    @Test func aBombIsGivenUpAtTheLimit() throws {
        var deflater = try HeaderDeflater()
        var bomb: [UInt8] = []
        while bomb.count < 60_000 { bomb += deflater.deflate([UInt8](repeating: 0, count: 1 << 20)) }
        let length = bomb.count + 4
        let head: [UInt8] = [0x80, 3, 0, 8, 0, 0, UInt8(length >> 8), UInt8(length & 0xff), 0, 0, 0, 1]
        #expect(length < SPDYLimits().controlFrameBytesMax)
        #expect(throws: SPDYError("header block has more than 32768 bytes")) {
            try events(of: [ByteBuffer(bytes: head + bomb)])
        }
    }

    private func hex(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var digits = text.utf8.makeIterator()
        while let high = digits.next(), let low = digits.next() {
            bytes.append(UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16) ?? 0)
        }
        return bytes
    }
}
