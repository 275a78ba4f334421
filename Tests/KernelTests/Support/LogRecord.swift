import Foundation
import LaunchProtocol
import TestKit

/// One line of a log in the CRI's format; reading is strict, so that a torn record fails a test.
struct LogRecord: Equatable {
    var time: String
    var stream: String
    var isPartial: Bool
    var content: Bytes

    static func parse(_ log: Bytes) throws -> [LogRecord] {
        if log.isEmpty { return [] }
        guard log.last == 0x0a else { throw TestFailure("the log ends in a torn record") }
        return try log.dropLast().split(separator: 0x0a, omittingEmptySubsequences: false).map {
            try LogRecord(line: $0)
        }
    }

    private init(line: ArraySlice<UInt8>) throws {
        let fields = line.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count == 4 else { throw TestFailure("a record with \(fields.count) fields: \(text(Array(line)))") }
        time = text(Array(fields[0]))
        stream = text(Array(fields[1]))
        guard LogRecord.isTime(time), ["stdout", "stderr"].contains(stream) else {
            throw TestFailure("a record of \(time) \(stream)")
        }
        switch text(Array(fields[2])) {
        case "P": isPartial = true
        case "F": isPartial = false
        default: throw TestFailure("a record with tag \(text(Array(fields[2])))")
        }
        content = Array(fields[3])
    }

    /// RFC 3339 with nanoseconds, as "2026-01-02T03:04:05.123456789Z" or with an offset instead of the Z.
    private static func isTime(_ text: String) -> Bool {
        let digit = Bytes("0123456789".utf8)
        let zoned = Bytes("dddd-dd-ddTdd:dd:dd.ddddddddd".utf8)
        let given = Bytes(text.utf8)
        guard given.count > zoned.count else { return false }
        for (byte, pattern) in zip(given, zoned) where pattern == 0x64 ? !digit.contains(byte) : byte != pattern {
            return false
        }
        let zone = given.dropFirst(zoned.count)
        return zone == [0x5a] || (zone.count == 6 && (zone.first == 0x2b || zone.first == 0x2d))
    }

    /// What a program wrote to a stream: parts joined, a newline after each full record.
    static func joined(_ records: [LogRecord], stream: String = "stdout") -> String {
        var all: Bytes = []
        for record in records where record.stream == stream { all += record.content + (record.isPartial ? [] : [0x0a]) }
        return text(all)
    }
}
