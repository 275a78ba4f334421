import CLICore
import Foundation

/// How many records a CRI log has, and the time between the first and the last of them.
struct LogSpan {
    let lines: Int
    let seconds: Double

    init(path: String) throws(Failure) {
        let content: Data
        do {
            content = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
        } catch {
            throw Failure("read \(path): \(error.localizedDescription)")
        }
        let newline = UInt8(ascii: "\n")
        lines = content.count { $0 == newline }
        let last = content.dropLast().lastIndex(of: newline).map { content.index(after: $0) } ?? content.startIndex
        guard let first = Self.time(content.prefix(64)), let end = Self.time(content[last...].prefix(64)), end > first
        else { throw Failure("\(path) is no CRI log of more than one moment") }
        seconds = end - first
    }

    /// Seconds of the day and fractions of a record's time; a log of the bench does not cross midnight twice.
    private static func time(_ record: Data) -> Double? {
        let text = String(decoding: record, as: UTF8.self).prefix { $0 != " " }
        guard let clock = text.split(separator: "T").last else { return nil }
        let parts = clock.prefix { $0.isNumber || $0 == ":" || $0 == "." }.split(separator: ":")
        guard parts.count == 3, let hours = Double(parts[0]), let minutes = Double(parts[1]),
            let seconds = Double(parts[2])
        else { return nil }
        return hours * 3600 + minutes * 60 + seconds
    }
}
