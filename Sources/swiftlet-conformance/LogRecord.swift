import Foundation

/// One line of a CRI log file: time, stream, tag, text.
struct LogRecord: Equatable, Sendable {
    let time: String
    let stream: String
    let tag: String
    let text: String

    /// Every whole line of a file; no file has none.
    static func read(_ path: String) throws -> [LogRecord] {
        guard let bytes = FileManager.default.contents(atPath: path), let end = bytes.lastIndex(of: 0x0a) else {
            return []
        }
        return try bytes[..<end].split(separator: 0x0a, omittingEmptySubsequences: false).map(parse)
    }

    private static func parse(_ line: Data) throws(Verdicted) -> LogRecord {
        let parts = line.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 4, isTime(parts[0]), ["stdout", "stderr"].contains(parts[1]),
            let tag = parts[2].split(separator: ":").first.map(String.init), ["P", "F"].contains(tag)
        else { throw fail("no record of a log: \"\(String(decoding: line.prefix(200), as: UTF8.self))\"") }
        return LogRecord(time: parts[0], stream: parts[1], tag: tag, text: parts[3])
    }

    /// RFC 3339 with up to nine digits of a second.
    private static func isTime(_ text: String) -> Bool {
        text.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)/) != nil
    }
}
