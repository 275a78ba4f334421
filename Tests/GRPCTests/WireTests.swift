import NIOCore
import Testing

@testable import GRPC

@Suite struct WireTests {
    @Test(arguments: [
        ("", ""), ("plain text", "plain text"), ("100%", "100%25"), ("a\nb", "a%0Ab"), ("käse", "k%C3%A4se"),
        ("日本", "%E6%97%A5%E6%9C%AC"), ("\u{7f}~ ", "%7F~ "),
    ])
    func `messages are percent-encoded and come back`(plain: String, encoded: String) {
        #expect(PercentEncoding.encode(plain) == encoded)
        #expect(PercentEncoding.decode(encoded) == plain)
    }

    @Test(arguments: [("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%41%", "A%"), ("%c3%a4", "ä"), ("%ff", "\u{fffd}")])
    func `broken percent-encoding decodes to something`(encoded: String, plain: String) {
        #expect(PercentEncoding.decode(encoded) == plain)
    }

    @Test func `long messages are cut at a character`() {
        let encoded = PercentEncoding.encode(String(repeating: "ä", count: 10_000))
        #expect(encoded.utf8.count <= PercentEncoding.encodedBytesMax)
        #expect(PercentEncoding.decode(encoded).allSatisfy { $0 == "ä" })
    }

    @Test(arguments: 0..<70)
    func `base64 comes back, padded or not`(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        let text = Base64.encode(bytes)
        #expect(Base64.decode(text) == bytes)
        #expect(Base64.decode(text + String(repeating: "=", count: (4 - text.count % 4) % 4)) == bytes)
    }

    @Test(arguments: ["A", "AA=A", "AAAAA", "A A", "A_", "ä"])
    func `broken base64 is refused`(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test(arguments: [
        ("1H", Duration.seconds(3600)), ("2M", .seconds(120)), ("3S", .seconds(3)), ("4m", .milliseconds(4)),
        ("5u", .microseconds(5)), ("99999999n", .nanoseconds(99_999_999)), ("0S", .zero),
        ("99999999H", Timeout.longest),
    ])
    func `timeouts are read`(text: String, timeout: Duration) {
        #expect(Timeout.parse(text) == timeout)
    }

    @Test(arguments: ["", "S", "1", "1x", "-1S", "+1S", "1.5S", "123456789S", " 1S", "1S ", "１S"])
    func `what is no timeout is refused`(text: String) {
        #expect(Timeout.parse(text) == nil)
    }

    @Test(arguments: [
        (Duration.zero, "0n"), (.nanoseconds(99_999_999), "99999999n"), (.milliseconds(100), "100000u"),
        (.seconds(100), "100000m"), (.seconds(120_000), "120000S"), (.seconds(-5), "0n"),
        (.seconds(1 << 60), "5256000M"),
    ])
    func `timeouts are written in eight digits`(timeout: Duration, text: String) {
        #expect(Timeout.format(timeout) == text)
    }

    @Test(arguments: 1...40)
    func `messages cut anywhere come back whole`(piece: Int) throws {
        let messages = (0..<20).map { [UInt8](repeating: UInt8($0), count: $0 * 7 % 53) }
        var stream = ByteBuffer()
        for message in messages { stream.writeImmutableBuffer(try framed(message)) }
        var reader = MessageReader(messageBytesMax: 100)
        var read: [[UInt8]] = []
        while var slice = stream.readSlice(length: min(piece, stream.readableBytes)), slice.readableBytes > 0 {
            if let message = try reader.nextDirect(&slice) { read.append(message) }
            reader.append(&slice)
            while let message = try reader.next() { read.append(message) }
        }
        #expect(read == messages)
        #expect(reader.isEmpty)
    }

    @Test(arguments: [
        ([0, 0, 0, 0, 101], GRPCStatus.Code.resourceExhausted), ([0, 0xff, 0xff, 0xff, 0xff], .resourceExhausted),
        ([0, 0x80, 0, 0, 0], .resourceExhausted), ([1, 0, 0, 0, 0], .internal), ([255, 0, 0, 0, 1, 0], .internal),
    ])
    func `bad prefixes are refused before the message`(prefix: [UInt8], code: GRPCStatus.Code) {
        var reader = MessageReader(messageBytesMax: 100)
        var data = ByteBuffer(bytes: prefix)
        #expect(throws: GRPCStatus.self) { try reader.nextDirect(&data) }
        reader.append(&data)
        do throws(GRPCStatus) {
            _ = try reader.next()
            Issue.record("accepted")
        } catch {
            #expect(error.code == code)
        }
    }
}
