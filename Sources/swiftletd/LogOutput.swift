import Foundation
import Logging
import Synchronization

/// Writes log lines to standard error: as text (`time level message key=value ...`) or as one JSON object a line.
struct LogOutput: LogHandler {
    enum Format: String, Sendable { case text, json }

    var metadata: Logger.Metadata = [:]
    /// A level of this logger's own; without it the daemon's counts.
    private var ownLevel: Logger.Level?
    var metadataProvider: Logger.MetadataProvider?
    let label: String
    let control: LogControl

    init(label: String, control: LogControl) {
        self.label = label
        self.control = control
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? control.level }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let merged = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let pairs = merged.map { ($0.key, "\($0.value)") }.sorted { $0.0 < $1.0 }
        let time = Date.now.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
        var line: String
        switch control.format {
        case .text:
            line = "\(time)Z \(event.level.rawValue) \(Self.oneLine("\(event.message)"))"
            for (key, value) in pairs { line += " \(key)=\(Self.quoted(value))" }
        case .json:
            let fields =
                [("time", time + "Z"), ("level", event.level.rawValue), ("message", "\(event.message)")] + pairs
            line = "{" + fields.map { "\(Self.json($0.0)):\(Self.json($0.1))" }.joined(separator: ",") + "}"
        }
        line += "\n"
        FileHandle.standardError.write(Data(line.utf8))
    }

    /// A log line is one line, whatever a client put into a name.
    private static func oneLine(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : Character($0) })
    }

    private static func quoted(_ text: String) -> String {
        let plain = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f && $0 != "\"" && $0 != "=" }
        return plain && !text.isEmpty ? text : json(text)
    }

    private static func json(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
