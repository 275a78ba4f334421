import Model
import NIOCore
import TestKit
import Testing

@testable import Streaming

@Suite struct TokenTests {
    @Test func aTokenIsGoodOnceAndForItsTime() throws {
        var store = TokenStore<Int>(life: .seconds(60), countMax: 10)
        let start = ContinuousClock.now
        let first = try store.add(1, at: start).text
        let second = try store.add(2, at: start).text
        #expect(first != second && first.utf8.count == 64)
        #expect(store.redeem(first, at: start + .seconds(59)) == 1)
        #expect(store.redeem(first, at: start + .seconds(59)) == nil)
        #expect(store.redeem(second, at: start + .seconds(60)) == nil)
        #expect(store.count == 0)
    }

    @Test func aTokenThatBeginsLikeAnotherIsUnknownAndUsesNothingUp() throws {
        var store = TokenStore<Int>(life: .seconds(60), countMax: 10)
        let start = ContinuousClock.now
        let token = try store.add(1, at: start).text
        for position in [16, 40, 63] {
            var digits = Array(token.utf8)
            digits[position] = digits[position] == 0x30 ? 0x31 : 0x30
            #expect(store.redeem(String(decoding: digits, as: UTF8.self), at: start) == nil)
        }
        for text in ["", "0", token.uppercased() + "0", token + token, String(token.dropLast())] {
            #expect(store.redeem(text, at: start) == nil)
        }
        #expect(store.redeem(token, at: start) == 1)
    }

    @Test func expiredTokensMakeRoomAndUsedOnesToo() throws {
        var store = TokenStore<Int>(life: .seconds(60), countMax: 3)
        let start = ContinuousClock.now
        var tokens = try (0..<3).map { try store.add($0, at: start).text }
        #expect(throws: Fault.self) { try store.add(3, at: start) }
        #expect(store.redeem(tokens[0], at: start) == 0)
        tokens.append(try store.add(4, at: start).text)
        #expect(throws: Fault.self) { try store.add(5, at: start + .seconds(59)) }
        _ = try store.add(6, at: start + .seconds(60))
        #expect(store.count == 1)
        store.sweep(at: start + .seconds(200))
        #expect(store.count == 0)
    }

    /// The order of expiry is kept short although used tokens are not searched for in it.
    @Test func aStoreThatIsUsedForLongStaysSmall() throws {
        var store = TokenStore<Int>(life: .seconds(60), countMax: 5)
        let start = ContinuousClock.now
        for round in 0..<10_000 {
            let token = try store.add(round, at: start).text
            #expect(store.redeem(token, at: start) == round)
        }
        #expect(store.count == 0 && store.orderCount <= 11)
    }
}

@Suite struct TextTests {
    @Test(arguments: [
        (#"{"Width":80,"Height":24}"#, 24, 80), (#" { "height" : 1 , "WIDTH":65535 } "#, 1, 65535), ("{}", 0, 0),
        (#"{"Width":1,"Other":2}"#, 0, 1),
    ])
    func sizesAreRead(_ text: String, _ rows: UInt16, _ columns: UInt16) {
        #expect(ResizeReader.size(in: Array(text.utf8)) == WindowSize(rows: rows, columns: columns))
    }

    @Test(arguments: [
        "", "{", "}", "[1,2]", #"{"Width":65536}"#, #"{"Width":-1}"#, #"{"Width":"80"}"#, #"{"Width"}"#, "{:}",
        #"{"Width":1:2}"#,
    ])
    func whatIsNoSizeIsNone(_ text: String) { #expect(ResizeReader.size(in: Array(text.utf8)) == nil) }

    @Test func base64GoesThereAndBackInAnyPieces() throws {
        var generator = SeededGenerator.announced("base64")
        for _ in 0..<500 {
            let bytes = generator.bytes(countMax: 50)
            let text = Base64.encode(ByteBuffer(bytes: bytes))
            var decoder = Base64.Decoder()
            var decoded: [UInt8] = []
            var rest = text
            while rest.readableBytes > 0 {
                let count = Int.random(in: 0...min(5, rest.readableBytes), using: &generator)
                let piece = rest.readSlice(length: count) ?? ByteBuffer()
                let part = decoder.decode(piece)
                decoded += try #require(part).readableBytesView
            }
            let last = decoder.finish()
            decoded += try #require(last).readableBytesView
            #expect(decoded == bytes)
        }
    }

    /// The vectors of RFC 4648, 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func base64IsThatOfTheStandard(_ plain: String, _ text: String) {
        #expect(String(buffer: Base64.encode(ByteBuffer(string: plain))) == text)
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zg==Zg==", "Zm9v=", "Zm 9v", "Zm9-"])
    func whatIsNoBase64IsRefused(_ text: String) {
        var decoder = Base64.Decoder()
        let decoded = decoder.decode(ByteBuffer(string: text))
        let last = decoder.finish()
        #expect(decoded == nil || last == nil)
    }

    @Test func textIsQuotedForJSON() {
        #expect(JSONText.quoted("a\"b\\c\n\u{1}é\u{7f}") == "\"a\\\"b\\\\c\\u000a\\u0001é\u{7f}\"")
    }
}
