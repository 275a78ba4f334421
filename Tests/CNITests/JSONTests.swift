import CNI
import TestKit
import Testing

@Suite("JSON")
struct JSONTests {
    @Test(
        "documents keep their meaning through reading and writing",
        arguments: [
            ("{}", "{}"), (" [ ] ", "[]"), ("{\"b\":1,\"a\":[true,null,false]}", "{\"a\":[true,null,false],\"b\":1}"),
            ("12345678901234567890", "12345678901234567890"), ("-0.10e+5", "-0.10e+5"),
            (#""\u0041\ud83d\ude00\n\"\\\/""#, #""A😀\u000a\"\\/""#), ("\"é\"", "\"é\""),
        ])
    func roundTrip(text: String, written: String) throws {
        let value = try JSON(parsing: Array(text.utf8))
        #expect(String(decoding: value.bytes, as: UTF8.self) == written)
        #expect(try JSON(parsing: value.bytes) == value)
    }

    @Test(
        "what is no document is refused",
        arguments: [
            "", " ", "{", "[1,", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "'a'", "tru", "nul", "01", "1.",
            ".5", "1e", "+1", "-",
            "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\nb\"", "1 2", "{} x",
            "{\"a\":1,\"a\":2}", String(repeating: "[", count: 100), String(repeating: "1", count: 65), "NaN",
            "// c\n1",
        ])
    func refused(text: String) {
        #expect(throws: JSONError.self) { try JSON(parsing: Array(text.utf8)) }
    }

    @Test("bytes that are no UTF-8 are refused")
    func encoding() {
        #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0xff, 0x22]) }
        #expect(throws: JSONError.self) { try JSON(parsing: [0x22, 0xed, 0xa0, 0x80, 0x22]) }
    }

    @Test("reading is total, and what it accepts it can write and read again")
    func total() throws {
        var generator = SeededGenerator.announced("JSON is total")
        let alphabet = Array("{}[]\",:\\u0dtruefalsn-1.eE \n\u{0}\u{e9}".utf8)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &generator)).map { _ in generator.pick(alphabet) }
            do {
                let value = try JSON(parsing: bytes)
                #expect(try JSON(parsing: value.bytes) == value)
            } catch {
                continue
            }
        }
    }
}

@Suite("IP addresses")
struct IPAddressTests {
    @Test(
        "addresses are accepted",
        arguments: [
            "0.0.0.0", "10.1.2.255", "::", "::1", "fe80::1", "2001:db8:0:1:2:3:4:5", "1::", "::ffff:10.0.0.1",
            "1:2:3:4:5:6:7::",
        ])
    func accepted(text: String) {
        #expect(IPAddress(text)?.text == text)
        #expect(IPAddress(text)?.family == (text.contains(":") ? .v6 : .v4))
    }

    @Test(
        "all else is refused",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.1.1.1", "1.1.1.-1", " 1.1.1.1", "1.1.1.1 ", "a", ":", ":::",
            "1::2::3", "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9", "12345::", "g::", "fe80::1%eth0", "::1.2.3", "1.2.3.4::", "1:2:3:4:5:6:7:8::", ":1",
            "1:",
            String(repeating: "1:", count: 4000),
        ])
    func refused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("networks have a prefix length that fits")
    func networks() {
        #expect(IPAddress.network("10.0.0.1/16")?.prefixLength == 16)
        #expect(IPAddress.network("fd00::1/128")?.prefixLength == 128)
        for text in ["10.0.0.1", "10.0.0.1/33", "fd00::/129", "10.0.0.1/", "10.0.0.1/1/2", "10.0.0.1/-1", "/8"] {
            #expect(IPAddress.network(text) == nil)
        }
    }
}

@Suite("bandwidth annotations")
struct BandwidthTests {
    @Test(
        "quantities from 1k to 1P",
        arguments: [
            ("1k", 1000), ("10M", 10_000_000), ("1.5G", 1_500_000_000), ("64Ki", 65536), ("1000", 1000),
            ("1e6", 1_000_000),
            ("2E3", 2000), ("1P", 1_000_000_000_000_000), ("0.5M", 500_000),
            ("999", nil), ("2P", nil), ("", nil), ("k", nil), ("-1M", nil), ("1m", nil), ("1e99", nil), ("1.2.3M", nil),
            ("1 M", nil),
            ("99999999999999999999", nil), ("9999999999999999P", nil), ("0x10M", nil), ("1.99999M", nil),
        ] as [(String, UInt64?)])
    func quantities(text: String, bits: UInt64?) {
        #expect(Bandwidth.bitsPerSecond(text) == bits)
    }
}
