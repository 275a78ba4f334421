import Testing

@testable import LaunchEngine
@testable import LaunchProtocol
@testable import Linux

/// Records of one stream, read back as the kubelet reads them.
private struct Records {
    var lines: [[UInt8]] = []
    /// Content of the last line where no F has ended it.
    var open: [UInt8] = []
    var contentSizes: [Int] = []
    var isWellFormed = true

    init(_ log: [UInt8], _ stream: String = "stdout") {
        for record in log.split(separator: 0x0a, omittingEmptySubsequences: false).dropLast() {
            let fields = record.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count == 4, fields[0].count == 30, fields[1].elementsEqual(stream.utf8), fields[2].count == 1
            else {
                isWellFormed = false
                continue
            }
            open += fields[3]
            contentSizes.append(fields[3].count)
            if fields[2].first == UInt8(ascii: "F") {
                lines.append(open)
                open = []
            } else if fields[2].first != UInt8(ascii: "P") {
                isWellFormed = false
            }
        }
        if let last = log.last, last != 0x0a { isWellFormed = false }
    }
}

private let stamps = RecordStamps(.output, at: 1_795_419_498_123_456_789)

/// Frames chunks through buffers of the given size, as the pump does, and returns everything that would be written.
private func frame(_ chunks: [[UInt8]], outputCapacity: Int = 40_000) throws -> [UInt8] {
    var framing = LogFraming()
    var input = try PageBuffer(capacity: 200_000)
    var output = try PageBuffer(capacity: outputCapacity)
    var log: [UInt8] = []
    for chunk in chunks {
        input.removeAll()
        _ = input.append(framing.pending)
        _ = input.append(chunk)
        var start: Int? = 0
        while let from = start {
            output.removeAll()
            start = framing.cut(input, from: from, stamps: stamps, into: &output)
            log += output.bytes(0..<output.count)
        }
        #expect(framing.pending.count <= LogFraming.pendingMax)
    }
    output.removeAll()
    framing.finish(stamps: stamps, into: &output)
    return log + output.bytes(0..<output.count)
}

private func text(_ count: Int, _ end: String) -> [UInt8] { [UInt8](repeating: 0x78, count: count) + Array(end.utf8) }

@Suite("Log framing")
struct LogFramingTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var chunks: [[UInt8]]
        /// Tag and size of content of each record.
        var records: [(String, Int)]
        var testDescription: String { name }
    }

    static let rows: [Row] = [
        Row(name: "one line", chunks: [text(3, "\n")], records: [("F", 3)]),
        Row(name: "an empty line", chunks: [text(0, "\n")], records: [("F", 0)]),
        Row(name: "nothing", chunks: [[]], records: []),
        Row(name: "a line in three pieces", chunks: [text(3, ""), text(4, ""), text(5, "\n")], records: [("F", 12)]),
        Row(name: "the end without a newline", chunks: [text(3, "\n"), text(4, "")], records: [("F", 3), ("P", 4)]),
        Row(name: "carriage return and newline", chunks: [text(3, "\r\n")], records: [("F", 3)]),
        Row(name: "only carriage return and newline", chunks: [text(0, "\r\n")], records: [("F", 0)]),
        Row(name: "one of two carriage returns", chunks: [text(3, "\r\r\n")], records: [("F", 4)]),
        Row(
            name: "a carriage return and a newline in two pieces", chunks: [text(3, "\r"), text(0, "\n")],
            records: [("F", 3)]),
        Row(name: "a carriage return inside", chunks: [text(1, "\ry\n")], records: [("F", 3)]),
        Row(name: "a carriage return at the end of all", chunks: [text(3, "\r")], records: [("P", 4)]),
        Row(name: "just full", chunks: [text(16_384, "\n")], records: [("F", 16_384)]),
        Row(
            name: "just full, with carriage return", chunks: [text(16_384, "\r"), text(0, "\n")],
            records: [("F", 16_384)]),
        Row(
            name: "just full, a carriage return, and more", chunks: [text(16_384, "\r"), text(1, "\n")],
            records: [("P", 16_384), ("F", 2)]),
        Row(name: "one over", chunks: [text(16_385, "\n")], records: [("P", 16_384), ("F", 1)]),
        Row(name: "one over, open", chunks: [text(16_385, "")], records: [("P", 16_384), ("P", 1)]),
        Row(name: "just full, open", chunks: [text(16_384, "")], records: [("P", 16_384)]),
        Row(
            name: "three times full", chunks: [text(49_152, "\n")],
            records: [("P", 16_384), ("P", 16_384), ("F", 16_384)]),
        Row(
            name: "long in pieces", chunks: [text(10_000, ""), text(10_000, ""), text(10_000, "\n")],
            records: [("P", 16_384), ("F", 13_616)]),
    ]

    @Test("lines become records of at most 16 KiB", arguments: rows)
    func table(row: Row) throws {
        let log = try frame(row.chunks)
        let expected = row.records.flatMap { tag, size in
            Array("2026-11-23T07:38:18.123456789Z stdout \(tag) ".utf8)
        }
        let fronts = log.split(separator: 0x0a, omittingEmptySubsequences: false).dropLast().flatMap { $0.prefix(40) }
        #expect(fronts == expected)
        #expect(Records(log).contentSizes == row.records.map(\.1))
    }

    @Test("whatever the pieces and the size of the buffer, the same records come out", arguments: 0..<40)
    func property(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        var content: [UInt8] = []
        for _ in 0..<Int.random(in: 1...60, using: &generator) {
            let size = [0, 1, 80, 300, 5_000, 16_383, 16_384, 16_385, 40_000].randomElement(using: &generator) ?? 0
            content += (0..<size).map { _ in UInt8.random(in: 0x0b...0xff, using: &generator) }
            content += Array((["\n", "\r\n", "\r\r\n", "\n\n"].randomElement(using: &generator) ?? "").utf8)
        }
        if Bool.random(using: &generator) { content += Array("open end\r".utf8) }
        var chunks: [[UInt8]] = []
        var rest = content[...]
        while !rest.isEmpty {
            let size = Int.random(in: 1...([3, 100, 70_000].randomElement(using: &generator) ?? 1), using: &generator)
            chunks.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
            if chunks.count > 3_000 {
                chunks.append(
                    contentsOf: stride(from: 0, to: rest.count, by: 60_000).map { at in
                        Array(rest.dropFirst(at).prefix(60_000))
                    })
                rest = []
            }
        }
        let log = try frame(chunks, outputCapacity: [16_500, 20_000, 131_072].randomElement(using: &generator) ?? 0)
        let records = Records(log)
        #expect(records.isWellFormed)
        #expect(records.contentSizes.allSatisfy { $0 <= LogFraming.contentMax })
        var expected = content.split(separator: 0x0a, omittingEmptySubsequences: false).map(Array.init)
        let open = expected.removeLast()
        #expect(records.lines == expected.map { $0.last == 0x0d ? Array($0.dropLast()) : $0 }, "seed \(seed)")
        #expect(records.open == open, "seed \(seed)")
    }

    @Test(
        "times are RFC 3339 in UTC with nine digits",
        arguments: [
            (0, "1970-01-01T00:00:00.000000000Z"), (951_782_399_999_999_999, "2000-02-28T23:59:59.999999999Z"),
            (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
            (951_868_800_000_000_000, "2000-03-01T00:00:00.000000000Z"),
            (1_709_164_800_000_000_000, "2024-02-29T00:00:00.000000000Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
            (1_767_225_599_000_000_000, "2025-12-31T23:59:59.000000000Z"), (-5, "1970-01-01T00:00:00.000000000Z"),
            (Int64.max, "2262-04-11T23:47:16.854775807Z"),
        ])
    func time(nanoseconds: Int64, time: String) {
        let stamp = RecordStamp.bytes(at: nanoseconds, stream: .error, isPartial: true)
        #expect(String(decoding: stamp, as: UTF8.self) == time + " stderr P ")
        #expect(stamp.count <= RecordStamp.bytesMax)
    }
}

/// SplitMix64: the same seed gives the same test.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
