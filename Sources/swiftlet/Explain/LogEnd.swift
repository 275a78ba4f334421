import CLICore

/// The last lines that a container wrote.
enum LogEnd {
    private static let linesMax = 10
    private static let charactersMax = 300

    /// Without control characters, long lines cut; where the log cannot be read, a line says why.
    static func lines(of path: String) -> [String] {
        guard !path.isEmpty else { return [] }
        do {
            var file = try LogFile(path)
            try file.seekToLast(linesMax)
            var lines: [String] = []
            var bytes: [UInt8] = []
            _ = try file.read { records in
                for record in records {
                    guard let record = LogRecord(record), lines.count < linesMax else { continue }
                    if bytes.count <= 4 * charactersMax { bytes += record.content.prefix(4 * charactersMax) }
                    if record.isPartial { continue }
                    lines.append(line(bytes))
                    bytes = []
                }
            }
            if !bytes.isEmpty, lines.count < linesMax { lines.append(line(bytes)) }
            return lines
        } catch {
            return ["\(error)"]
        }
    }

    private static func line(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        return text.count > charactersMax ? text.prefix(charactersMax) + "..." : text
    }
}
