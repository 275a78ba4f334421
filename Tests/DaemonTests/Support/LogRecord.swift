import Foundation
import TestKit

/// One line of a CRI log file: time, stream, tag, text.
struct LogRecord: Equatable, Sendable {
    let time: String
    let stream: String
    let tag: String
    let text: String

    /// Every record of a file; a line that is none fails.
    static func read(_ path: String) throws -> [LogRecord] {
        let bytes = try readFile(path)
        guard let end = bytes.lastIndex(of: 0x0a) else { return [] }
        return try bytes[..<end].split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
            let parts = line.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            guard parts.count == 4, parts[0].wholeMatch(of: stamp) != nil, ["stdout", "stderr"].contains(parts[1]),
                ["P", "F"].contains(parts[2])
            else { throw TestFailure("no record: \(String(decoding: line, as: UTF8.self))") }
            return LogRecord(time: parts[0], stream: parts[1], tag: parts[2], text: parts[3])
        }
    }

    nonisolated(unsafe) private static let stamp =
        /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d)/
}
