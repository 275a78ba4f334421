import CLICore
import SwiftProtobuf
import SwiftletAPI

/// Operations as a picture: rows with bars on the scale of their own operation, readable without scripts or other files.
///
/// Names and errors come from pods and images: every text goes through `escaped`.
struct Timeline {
    let operations: [Swiftlet_V1_Operation]

    private static let width = 960
    private static let labels = 250
    private static let row = 22
    private static let fills = ["#4c78a8", "#59a14f", "#f28e2b", "#b07aa1", "#76b7b2", "#edc948", "#9c755f", "#e15759"]

    init(_ operations: [Swiftlet_V1_Operation]) { self.operations = operations }

    var html: String {
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Operations</title></head>\n"
            + "<body style=\"margin:24px;background:#fff\">\n\(svg)</body></html>\n"
    }

    var svg: String {
        var body = ""
        var top = 16
        for operation in operations { body += block(operation, &top) }
        let head =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(Self.width)\" height=\"\(top)\" "
            + "viewBox=\"0 0 \(Self.width) \(top)\" font-family=\"sans-serif\" font-size=\"12\">\n"
            + "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        return head + body + "</svg>\n"
    }

    private func block(_ operation: Swiftlet_V1_Operation, _ top: inout Int) -> String {
        let whole = max(operation.duration, operation.stages.map { $0.start &+ $0.duration }.max() ?? 0, 1)
        let subject = [operation.podNamespace, operation.podName, operation.containerName].filter { !$0.isEmpty }
            .joined(separator: "/")
        let time = operation.duration == 0 ? "runs" : OperationTable.milliseconds(operation.duration) + " ms"
        var text = label(
            12, top + 14, "\(operation.name)  \(subject)  \(time)", "font-size=\"14\" font-weight=\"bold\"")
        top += 24
        if !operation.error.isEmpty {
            text += label(12, top + 12, "failed: " + String(operation.error.prefix(140)), "fill=\"#c0392b\"")
            top += 20
        }
        text += scale(whole, top, rows: operation.stages.count)
        top += 18
        for (index, stage) in operation.stages.enumerated() {
            text += bar(
                stage, OperationChart.depth(of: index, in: operation.stages), whole, top,
                Self.fills[index % Self.fills.count])
            top += Self.row
        }
        top += 20
        return text
    }

    /// Five vertical lines with their times.
    private func scale(_ whole: Int64, _ top: Int, rows: Int) -> String {
        (0...4).map { tick in
            let at = Self.labels + (Self.width - Self.labels - 90) * tick / 4
            let time = OperationTable.milliseconds(whole / 4 * Int64(tick)) + " ms"
            return
                "<line x1=\"\(at)\" y1=\"\(top + 14)\" x2=\"\(at)\" y2=\"\(top + 18 + rows * Self.row)\" stroke=\"#dddddd\"/>\n"
                + label(at, top + 10, time, "font-size=\"10\" fill=\"#777777\" text-anchor=\"middle\"")
        }.joined()
    }

    private func bar(_ stage: Swiftlet_V1_Stage, _ depth: Int, _ whole: Int64, _ top: Int, _ fill: String) -> String {
        let room = Double(Self.width - Self.labels - 90)
        let from = Double(Self.labels) + min(1, max(0, Double(stage.start) / Double(whole))) * room
        let length = max(1.5, min(1, max(0, Double(stage.duration) / Double(whole))) * room)
        let name = stage.detail.isEmpty ? stage.name : "\(stage.name) \(stage.detail)"
        let time = stage.duration == 0 ? "runs" : OperationTable.milliseconds(stage.duration) + " ms"
        let shown = name.count > 34 ? name.prefix(33) + "…" : name
        return "<g><title>\(Self.escaped(name)): \(time)</title>\n"
            + label(24 + depth * 14, top + 14, shown, "fill=\"#333333\"")
            + "<rect x=\"\(decimal(from, places: 1))\" y=\"\(top + 4)\" width=\"\(decimal(length, places: 1))\" height=\"14\" rx=\"2\" "
            + "fill=\"\(fill)\"/>\n"
            + label(Int(from + length) + 6, top + 15, time, "font-size=\"11\" fill=\"#555555\"") + "</g>\n"
    }

    private func label(_ x: Int, _ y: Int, _ text: String, _ attributes: String) -> String {
        "<text x=\"\(x)\" y=\"\(y)\" \(attributes)>\(Self.escaped(text))</text>\n"
    }

    /// The text without control characters, and without anything that XML or HTML takes for markup.
    static func escaped(_ text: String) -> String {
        var safe = ""
        for character in printable(text).unicodeScalars {
            switch character {
            case "&": safe += "&amp;"
            case "<": safe += "&lt;"
            case ">": safe += "&gt;"
            case "\"": safe += "&quot;"
            case "'": safe += "&#39;"
            // XML 1.0, 2.2: no characters of a document.
            case "\u{fffe}", "\u{ffff}": safe += "?"
            default: safe.unicodeScalars.append(character)
            }
        }
        return safe
    }
}
