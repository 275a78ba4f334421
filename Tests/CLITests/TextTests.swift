import CLICore
import Foundation
import Testing

@Suite struct TextTests {
    static let agoRows: [(Int64, String)] = [
        (Int64(0), "less than a second ago"), (-5, "less than a second ago"), (1, "1 second ago"),
        (59, "59 seconds ago"),
        (60, "1 minute ago"), (3599, "59 minutes ago"), (3600, "1 hour ago"), (47 * 3600, "47 hours ago"),
        (48 * 3600, "2 days ago"), (14 * 86_400, "2 weeks ago"), (60 * 86_400, "2 months ago"),
        (730 * 86_400, "2 years ago"),
    ]

    @Test("how long ago", arguments: agoRows)
    func ago(seconds: Int64, text: String) {
        #expect(agoText(CapturedConsole.now - seconds * 1_000_000_000, now: CapturedConsole.now) == text)
    }

    @Test("a time that overflows is no crash")
    func agoOverflow() { #expect(agoText(.min, now: .max) == "less than a second ago") }

    static let timesRows: [(UnixNanoseconds, String)] = [
        (0, "1970-01-01T00:00:00Z"), (1_795_399_829_123_456_789, "2026-11-23T02:10:29.123456789Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00Z"), (-1_000_000, "1969-12-31T23:59:59.999Z"),
    ]

    @Test("times are written and read", arguments: timesRows)
    func times(time: UnixNanoseconds, text: String) {
        #expect(rfc3339(time) == text)
        #expect(parseRFC3339(text) == time)
    }

    static let otherTimesRows: [(String, Int64)] = [
        ("2026-11-23T04:10:29+02:00", 1_795_399_829), ("2026-11-22T21:40:29-04:30", 1_795_399_829),
        ("2026-11-23T02:10:29", 1_795_399_829), ("2026-11-23 02:10:29Z", 1_795_399_829), ("2026-11-23", 1_795_392_000),
    ]

    @Test("other spellings of times are read", arguments: otherTimesRows)
    func otherTimes(text: String, seconds: Int64) { #expect(parseRFC3339(text) == seconds * 1_000_000_000) }

    @Test(
        "what is no time is refused",
        arguments: [
            "", "yesterday", "2026-13-01", "2026-11-23T25:00:00Z", "2026-11-23T02:10:29.Z", "9999-01-01",
            "2026-11-23T02:10:29Zx",
        ])
    func badTimes(text: String) { #expect(parseRFC3339(text) == nil) }

    static let durationsRows: [(String, Duration)] = [
        ("2s", Duration.seconds(2)), ("1m30s", .seconds(90)), ("500ms", .milliseconds(500)), ("42", .seconds(42)),
        ("1.5h", .seconds(5400)), ("0", .zero),
    ]

    @Test("lengths of time are read", arguments: durationsRows)
    func durations(text: String, duration: Duration) { #expect(parseDuration(text) == duration) }

    @Test(
        "what is no length of time is refused",
        arguments: ["", "s", "1x", "-1s", "1s2", "1.2.3", "99999999999999999999h", "ten"])
    func badDurations(text: String) { #expect(parseDuration(text) == nil) }

    static let sizesRows: [(UInt64, String)] = [
        (0, "0B"), (999, "999B"), (1000, "1kB"), (4_261_550, "4.26MB"), (104_857_600, "105MB"), (999_999, "1MB"),
        (12_345, "12.3kB"), (UInt64.max, "18.4EB"),
    ]

    @Test("sizes for people", arguments: sizesRows)
    func sizes(bytes: UInt64, text: String) { #expect(sizeText(bytes) == text) }

    static let readSizesRows: [(String, Int64)] = [
        ("64M", 64 << 20), ("1.5GiB", 3 << 29), ("10kb", 10_000), ("7", 7), ("7b", 7), ("1Ti", 1 << 40),
    ]

    @Test("sizes are read", arguments: readSizesRows)
    func readSizes(text: String, bytes: Int64) { #expect(parseSize(text) == bytes) }

    @Test("what is no size is refused", arguments: ["", "M", "-1", "1Q", "1e5", "99999999T", "1.2.3k"])
    func badSizes(text: String) { #expect(parseSize(text) == nil) }

    @Test(
        "JSON comes back as it was",
        arguments: [
            #"{"a":[1,-2.50e+3,true,null,"x\ny\"\\ä"],"b":{}}"#, "[]", "0", #""\u001b""#, #"{"":""}"#,
        ])
    func jsonRoundTrip(text: String) throws {
        let value = try JSONParser.parse(text.utf8)
        #expect(value.compact == text)
        #expect(try JSONParser.parse(value.pretty.utf8) == value)
    }

    static let jsonEscapesRows: [(String, String)] = [(#""\ud83d\ude00""#, "😀"), (#""\u00e4\/""#, "ä/")]

    @Test("escapes of JSON are read", arguments: jsonEscapesRows)
    func jsonEscapes(text: String, value: String) throws { #expect(try JSONParser.parse(text.utf8) == .string(value)) }

    @Test(
        "what is not JSON is refused with its place",
        arguments: [
            "", "{", "[1,]", "{\"a\" 1}", "01", "1.", "-", "tru", "\"a", "\"\\x\"", "\"\\ud800\"", "1 2", "\"\u{1}\"",
            "nul", "{a:1}",
            String(repeating: "[", count: 1000),
        ])
    func badJSON(text: String) { #expect(throws: JSONError.self) { try JSONParser.parse(text.utf8) } }

    @Test("the JSON parser is total on random bytes")
    func randomJSON() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                Array("{}[]\",:0123.eE+-\\u trufalsn\u{80}".utf8).randomElement(using: &generator) ?? 0
            }
            do { _ = try JSONParser.parse(bytes) } catch { #expect(error.line >= 1) }
        }
    }

    @Test("a table has no trailing spaces and no control characters")
    func table() {
        var table = Table(["A", "LONGER"])
        table.add(["wide cell", "x"])
        table.add(["\u{1b}[31m\n", ""])
        #expect(table.text == "A           LONGER\nwide cell   x\n?[31m?\n")
    }
}
