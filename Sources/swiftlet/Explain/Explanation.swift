import CLICore
import SwiftletAPI

/// Lines in plain words, under headings.
struct Explanation {
    /// Of many attempts the last.
    private static let attemptsMax = 12

    let subject: [String]
    private var sections: [(name: String, lines: [String])] = []

    init(subject: [String]) { self.subject = subject }

    mutating func add(_ name: String, _ lines: [String]) {
        if !lines.isEmpty { sections.append((name, lines)) }
    }

    var text: String {
        var text = subject.map { printable($0) + "\n" }.joined()
        for section in sections {
            text += "\n\(section.name)\n" + section.lines.map { "  \(printable($0))\n" }.joined()
        }
        return text
    }

    var json: JSONValue {
        let strings = { (lines: [String]) in JSONValue.array(lines.map { .string($0) }) }
        return .object(
            [.init("subject", strings(subject))]
                + sections.map {
                    .init($0.name.split(separator: " ").joined(separator: "_").lowercased(), strings($0.lines))
                })
    }

    /// What was tried and what came of it, oldest first.
    static func attempts(_ operations: [Swiftlet_V1_Operation], now: UnixNanoseconds) -> [String] {
        operations.suffix(attemptsMax).map { operation in
            let what = operation.containerName.isEmpty ? "" : " of \(operation.containerName)"
            let result =
                if !operation.error.isEmpty { "failed: \(operation.error)" } else if operation.duration == 0 {
                    "goes on"
                } else { "succeeded in \(OperationTable.milliseconds(operation.duration)) ms" }
            return "\(agoText(operation.startedAt, now: now)): \(operation.name)\(what) \(result)"
        }
    }
}
