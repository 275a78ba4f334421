import CLICore
import SwiftProtobuf
import SwiftletAPI

/// Operations as text: a line with a bar for each part, parts of parts indented, all bars of an operation on one scale.
struct OperationChart {
    let columns: Int
    let colours: Bool

    private static let timeWidth = 12

    /// Names give way to bars of ten cells, and bars to what is left of names.
    private var nameWidth: Int {
        max(4, min(columns < 110 ? 26 : 46, columns - Self.timeWidth - 2 - 10))
    }
    private var barWidth: Int { columns - nameWidth - Self.timeWidth - 2 }

    func text(_ operations: [Swiftlet_V1_Operation]) -> String { operations.map(block).joined(separator: "\n") }

    private func block(_ operation: Swiftlet_V1_Operation) -> String {
        let subject =
            operation.containerName.isEmpty
            ? "\(operation.podNamespace)/\(operation.podName)"
            : "\(operation.podNamespace)/\(operation.podName)/\(operation.containerName)"
        let time =
            operation.duration == 0 ? "runs" : OperationTable.milliseconds(operation.duration) + " ms"
        var text =
            paint("1", printable(operation.name)) + " \(printable(subject)): \(time), \(rfc3339(operation.startedAt))\n"
        if !operation.error.isEmpty { text += paint("31", "  failed: " + printable(operation.error)) + "\n" }
        let whole = max(operation.duration, operation.stages.map { $0.start &+ $0.duration }.max() ?? 0, 1)
        for (index, stage) in operation.stages.enumerated() {
            let indent = String(repeating: "  ", count: 1 + Self.depth(of: index, in: operation.stages))
            let detail = stage.detail.isEmpty ? "" : " " + stage.detail
            let name = fitted(indent + printable(stage.name + (stage.failed ? " failed:" : "") + detail), nameWidth)
            let shown = stage.duration == 0 ? "runs" : OperationTable.milliseconds(stage.duration) + " ms"
            let padding = String(repeating: " ", count: max(0, Self.timeWidth - shown.count))
            text += name + padding + shown + (barWidth < 3 ? "" : "  " + bar(stage, of: whole)) + "\n"
        }
        return text
    }

    private func bar(_ stage: Swiftlet_V1_Stage, of whole: Int64) -> String {
        let width = barWidth
        let cells = { (time: Int64) in
            Int((min(1, max(0, Double(time) / Double(whole))) * Double(width)).rounded())
        }
        let from = min(width - 1, cells(stage.start))
        let length = max(1, min(width - from, cells(stage.duration)))
        let colour = stage.failed ? "31" : "36"
        return String(repeating: " ", count: from) + paint(colour, String(repeating: "█", count: length))
    }

    /// How many stages this one is within. A parent stands before its parts; what does not is taken for none.
    static func depth(of index: Int, in stages: [Swiftlet_V1_Stage]) -> Int {
        var (depth, at) = (0, index)
        while stages[at].parent >= 0, stages[at].parent < at {
            at = Int(stages[at].parent)
            depth += 1
        }
        return min(depth, 8)
    }

    private func fitted(_ text: String, _ width: Int) -> String {
        text.count > width
            ? text.prefix(width - 1) + "…" : text + String(repeating: " ", count: width - text.count)
    }

    private func paint(_ code: String, _ text: String) -> String { colours ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text }
}
