import NIOCore
import NIOEmbedded
import TestKit
import Testing

@testable import StreamClient

@Suite struct WebSocketTests {
    @Test(
        "what a client sends is masked and comes out as it went in",
        arguments: [0, 1, 3, 7, 8, 9, 124, 125, 126, 127, 65534, 65535, 65536, 70001])
    func encoding(length: Int) throws {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let key: UInt32 = 0x0102_0304
        var frame = WebSocketEncoder.frame(
            WebSocketOpcode.binary, channel: 9, ByteBuffer(bytes: payload), key: key, ByteBufferAllocator())
        let received = try #require(ClientFrame(&frame))
        #expect(received == ClientFrame(opcode: WebSocketOpcode.binary, payload: [9] + payload))
        #expect(frame.readableBytes == 0)
    }

    @Test("messages come out whole however they were cut into frames and reads", arguments: 0..<40 as Range<UInt64>)
    func decoding(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var messages: [[UInt8]] = []
        var wire = ByteBuffer()
        for _ in 0..<20 {
            let message = (0..<Int.random(in: 0..<70_000, using: &random)).map { UInt8(truncatingIfNeeded: $0) }
            messages.append(message)
            var left = message[...]
            var opcode = WebSocketOpcode.binary
            repeat {
                let part = left.prefix(Int.random(in: 0...80_000, using: &random))
                left = left.dropFirst(part.count)
                let isLast = left.isEmpty && Bool.random(using: &random)
                wire.writeServerFrame(opcode, isFinal: isLast, Array(part))
                if Bool.random(using: &random) { wire.writeServerFrame(WebSocketOpcode.ping, [1, 2]) }
                opcode = WebSocketOpcode.continuation
                if isLast { break }
            } while true
        }
        var decoder = WebSocketDecoder()
        var seen: [[UInt8]] = []
        while let part = wire.readSlice(length: min(wire.readableBytes, Int.random(in: 1...9000, using: &random))),
            part.readableBytes > 0
        {
            decoder.append(part)
            while let event = try decoder.next() {
                guard case .piece(let piece) = event else {
                    #expect(event == .ping(ByteBuffer(bytes: [1, 2])))
                    continue
                }
                if piece.isFirst { seen.append([]) }
                seen[seen.count - 1] += Array(piece.bytes.readableBytesView)
            }
        }
        #expect(seen == messages, "seed \(seed)")
    }

    static let wrong: [([UInt8], String)] = [
        ([0xc2, 0], "an extension"), ([0x82, 0x80, 0, 0, 0, 0], "masks"), ([0x81, 1, 65], "text"),
        ([0x80, 0], "out of place"),
        ([0x83, 0], "out of place"), ([0x8b, 0], "out of place"), ([0x09, 0], "control frame"),
        ([0x89, 126, 0, 126], "control frame"),
        ([0x02, 0, 0x82, 0], "out of place"), ([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], "bytes"),
    ]

    @Test("what no server may send is refused", arguments: wrong)
    func wrongFrames(bytes: [UInt8], says: String) {
        let error = #expect(throws: StreamError.self) {
            var decoder = WebSocketDecoder()
            decoder.append(ByteBuffer(bytes: bytes))
            while try decoder.next() != nil {}
        }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
    }

    @Test("random bytes never trap, and a huge length takes no memory", arguments: 0..<200 as Range<UInt64>)
    func random(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var decoder = WebSocketDecoder()
        decoder.append(ByteBuffer(bytes: [0x82, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]))
        let piece = try decoder.next()
        #expect(piece == .piece(WebSocketPiece(bytes: ByteBuffer(bytes: [1]), isFirst: true, isLast: false)))
        decoder = WebSocketDecoder()
        do {
            for _ in 0..<20 {
                let count = Int.random(in: 0..<40, using: &random)
                decoder.append(
                    ByteBuffer(bytes: (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }))
                while try decoder.next() != nil {}
            }
        } catch {
            #expect(error.description.hasPrefix("WebSocket: "))
        }
    }

    @Test("output that nobody takes stops the reading, until it is taken")
    func backPressure() throws {
        final class Reads: ChannelOutboundHandler {
            typealias OutboundIn = Never
            var count = 0
            func read(context: ChannelHandlerContext) { count += 1 }
        }
        let reads = Reads()
        let inbox = Inbox()
        let wire = WebSocketWire(inbox: inbox)
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([reads, wire])
        let item = Inbox.Item(isError: false, bytes: ByteBuffer(repeating: 1, count: 65536))
        for count in 1...16 {
            let bytes = ByteBuffer(bytes: [1] + Array(item.bytes.readableBytesView))
            channel.pipeline.fireChannelRead(WebSocketPiece(bytes: bytes, isFirst: true, isLast: true))
            channel.read()
            #expect(reads.count == min(count, 15))
        }
        wire.consumed(item)
        #expect(reads.count == 16)
        wire.consumed(item)
        #expect(reads.count == 16)
    }
}

/// A frame that a client has sent, unmasked.
struct ClientFrame: Equatable {
    var opcode: UInt8
    var payload: [UInt8]

    init(opcode: UInt8, payload: [UInt8]) { (self.opcode, self.payload) = (opcode, payload) }

    /// Takes a frame off the front; nil where none is whole yet.
    init?(_ bytes: inout ByteBuffer) {
        var rest = bytes
        guard let first = rest.readInteger(as: UInt8.self), let second = rest.readInteger(as: UInt8.self),
            first & 0x80 != 0, second & 0x80 != 0
        else { return nil }
        var length = Int(second & 0x7f)
        if length == 126 {
            guard let value = rest.readInteger(as: UInt16.self) else { return nil }
            length = Int(value)
        } else if length == 127 {
            guard let value = rest.readInteger(as: UInt64.self) else { return nil }
            length = Int(value)
        }
        guard let key = rest.readBytes(length: 4), let masked = rest.readBytes(length: length) else { return nil }
        opcode = first & 0x0f
        payload = masked.enumerated().map { $1 ^ key[$0 % 4] }
        bytes = rest
    }
}

extension ByteBuffer {
    /// A frame as servers send it.
    mutating func writeServerFrame(_ opcode: UInt8, isFinal: Bool = true, _ payload: [UInt8]) {
        writeInteger((isFinal ? 0x80 : 0) | opcode)
        switch payload.count {
        case ..<126: writeInteger(UInt8(payload.count))
        case ..<65536:
            writeInteger(126 as UInt8)
            writeInteger(UInt16(payload.count))
        default:
            writeInteger(127 as UInt8)
            writeInteger(UInt64(payload.count))
        }
        writeBytes(payload)
    }
}
