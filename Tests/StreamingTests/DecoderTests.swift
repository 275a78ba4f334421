import NIOCore
import TestKit
import Testing

@testable import Streaming

/// Any bytes give events or a `Breach`, requests or a `Refusal`. A trap would end the test process.
@Suite struct DecoderTests {
    /// What came out of a decoder, the pieces of each message put together.
    private struct Outcome: Equatable {
        var messages: [[UInt8]] = []
        var pings: [[UInt8]] = []
        var closes: [UInt16?] = []
        var pongs = 0
        var open: [UInt8]?
        var breach: WebSocketDecoder.Breach?
    }

    private func decode(_ pieces: [[UInt8]], messageBytesMax: Int = 1 << 20) -> Outcome {
        var decoder = WebSocketDecoder(messageBytesMax: messageBytesMax)
        var outcome = Outcome()
        do throws(WebSocketDecoder.Breach) {
            for piece in pieces {
                decoder.append(ByteBuffer(bytes: piece))
                while let event = try decoder.next() {
                    switch event {
                    case .piece(let piece):
                        // A first piece begins a message, every other one goes on with it.
                        if piece.isStart { outcome.open = [] }
                        outcome.open? += piece.bytes.readableBytesView
                        guard piece.isEnd, let whole = outcome.open else { break }
                        outcome.messages.append(whole)
                        outcome.open = nil
                    case .ping(let payload): outcome.pings.append([UInt8](payload.readableBytesView))
                    case .pong: outcome.pongs += 1
                    case .close(let code): outcome.closes.append(code)
                    }
                }
            }
        } catch {
            outcome.breach = error
        }
        return outcome
    }

    private static let transcript: [UInt8] =
        WebSocketClient.frame(2, [0, 1, 2]) + WebSocketClient.frame(1, []) + WebSocketClient.frame(9, [7])
        + WebSocketClient.frame(2, [4], isFinal: false) + WebSocketClient.frame(10, [])
        + WebSocketClient.frame(0, [], isFinal: false) + WebSocketClient.frame(0, [5, 6])
        + WebSocketClient.frame(2, [UInt8](repeating: 8, count: 300))
        + WebSocketClient.frame(2, [UInt8](repeating: 9, count: 70_000)) + WebSocketClient.frame(8, [3, 0xe8])

    @Test func framesSurviveTheWayAtEverySplit() {
        let whole = decode([Self.transcript])
        #expect(
            whole.messages == [
                [0, 1, 2], [], [4, 5, 6], [UInt8](repeating: 8, count: 300), [UInt8](repeating: 9, count: 70_000),
            ])
        #expect(whole.pings == [[7]] && whole.pongs == 1 && whole.closes == [1000] && whole.breach == nil)
        // The last frames are long; their insides are no places of interest.
        for split in 1..<500 {
            #expect(decode([Array(Self.transcript[..<split]), Array(Self.transcript[split...])]) == whole)
        }
        #expect(decode(Self.transcript.prefix(400).map { [$0] }) == decode([Array(Self.transcript.prefix(400))]))
    }

    @Test func messagesAreBoundedTogetherWithTheirFragments() {
        let fits = WebSocketClient.frame(2, [1, 2], isFinal: false) + WebSocketClient.frame(0, [3, 4])
        #expect(decode([fits], messageBytesMax: 4).breach == nil)
        #expect(decode([fits], messageBytesMax: 3).breach == .tooLarge)
        #expect(decode([fits + fits], messageBytesMax: 4).messages.count == 2)
        for length in [UInt64(1) << 63, .max, 1 << 40] {
            #expect(decode([WebSocketClient.frame(2, [], length: length)]).breach == .tooLarge)
            #expect(
                decode([fits.dropLast(8) + WebSocketClient.frame(0, [], length: length)]).breach != nil)
        }
    }

    @Test func randomAndMutatedFrames() {
        var generator = SeededGenerator.announced("random and mutated frames")
        for round in 0..<20_000 {
            var bytes = round % 2 == 0 ? generator.bytes(countMax: 100) : Array(Self.transcript.prefix(400))
            for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = UInt8.random(in: 0...255, using: &generator)
            }
            let split = Int.random(in: 0...bytes.count, using: &generator)
            let outcome = decode([Array(bytes[..<split]), Array(bytes[split...])])
            #expect(outcome.messages.reduce(0) { $0 + $1.count } <= bytes.count)
            #expect(outcome == decode([bytes]))
        }
    }

    @Test func randomRequests() {
        var generator = SeededGenerator.announced("random requests")
        let parts = [
            "GET", "POST", " ", "/exec/x", "?a=b", "HTTP/1.1", "\r\n", "Host: x", ":", "Upgrade", "\r", "\n", "\0", "é",
            "Content-Length: 0", "Connection: Upgrade",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...12, using: &generator)).map { _ in generator.pick(parts) }.joined()
            do throws(RequestHead.Refusal) {
                #expect(try RequestHead(text).path.hasPrefix("/"))
            } catch {
                #expect((400...505).contains(error.status))
            }
        }
    }

    @Test func aRequestIsTakenApart() throws {
        let head = try RequestHead(
            "GET /exec/abc?x=1&y HTTP/1.1\r\nHost: h\r\nCONNECTION: keep-alive, upgrade\r\nupgrade:  SPDY/3.1 \r\nA: 1\r\nA:2"
        )
        #expect(head.path == "/exec/abc" && head.query == "x=1&y")
        #expect(head.lists("Upgrade", in: "connection") && head.lists("spdy/3.1", in: "upgrade"))
        #expect(!head.lists("keep", in: "connection"))
        #expect(head.values("a") == ["1", "2"])
    }
}
