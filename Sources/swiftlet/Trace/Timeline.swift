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
    /// More than these compare badly in one picture.
    private static let comparedMax = 40
    private static let heading = "font-size=\"14\" font-weight=\"bold\""
    private static let (grey, red) = ("#9aa5b1", "#c0392b")
    private static let fills = ["#4c78a8", "#59a14f", "#f28e2b", "#b07aa1", "#76b7b2", "#edc948", "#9c755f", "#e15759"]

    init(_ operations: [Swiftlet_V1_Operation]) { self.operations = operations }

    var html: String {
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>swiftlet trace</title></head>\n"
            + "<body style=\"margin:24px;background:#fff\">\n\(svg)</body></html>\n"
    }

    var svg: String {
        var body = ""
        var top = 16
        body += overview(&top)
        for operation in operations { body += block(operation, &top) }
        let head =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(Self.width)\" height=\"\(top)\" "
            + "viewBox=\"0 0 \(Self.width) \(top)\" font-family=\"sans-serif\" font-size=\"12\">\n"
            + "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        return head + body + "</svg>\n"
    }

    /// How long all of them took, on one scale: each block below has its own.
    private func overview(_ top: inout Int) -> String {
        guard (2...Self.comparedMax).contains(operations.count) else { return "" }
        let whole = max(operations.map(\.duration).max() ?? 0, 1)
        var text = label(12, top + 14, "\(operations.count) operations", Self.heading)
        top += 24
        text += scale(whole, top, rows: operations.count)
        top += 18
        for operation in operations {
            let name = "\(operation.name) \(operation.containerName)"
            text += bar(
                name, from: 0, operation.duration, of: whole, depth: 0, top,
                operation.error.isEmpty ? Self.grey : Self.red)
            top += Self.row
        }
        top += 20
        return text
    }

    private func block(_ operation: Swiftlet_V1_Operation, _ top: inout Int) -> String {
        let whole = max(operation.duration, operation.stages.map { $0.start &+ $0.duration }.max() ?? 0, 1)
        let subject = [operation.podNamespace, operation.podName, operation.containerName].filter { !$0.isEmpty }
            .joined(separator: "/")
        var text = label(12, top + 14, "\(operation.name)  \(subject)  \(time(operation.duration))", Self.heading)
        text += label(
            Self.width - 12, top + 14, rfc3339(operation.startedAt),
            "font-size=\"11\" fill=\"#777777\" text-anchor=\"end\"")
        top += 24
        if !operation.error.isEmpty {
            text += label(12, top + 12, "failed: " + String(operation.error.prefix(140)), "fill=\"\(Self.red)\"")
            top += 20
        }
        text += scale(whole, top, rows: operation.stages.count)
        top += 18
        for (index, stage) in operation.stages.enumerated() {
            let name = stage.detail.isEmpty ? stage.name : "\(stage.name) \(stage.detail)"
            text += bar(
                name, from: stage.start, stage.duration, of: whole,
                depth: OperationChart.depth(of: index, in: operation.stages), top, Self.fills[index % Self.fills.count])
            top += Self.row
        }
        top += 20
        return text
    }

    private func time(_ nanoseconds: Int64) -> String {
        nanoseconds == 0 ? "runs" : OperationTable.milliseconds(nanoseconds) + " ms"
    }

    /// Round times for the scale: at most seven of them, a step of 1, 2 or 5 times a power of ten apart.
    static func ticks(_ whole: Int64) -> [Int64] {
        var step: Int64 = 1
        var leading = 1
        while whole / step > 6 {
            step = leading == 2 ? step / 2 * 5 : step * 2
            leading = leading == 1 ? 2 : leading == 2 ? 5 : 1
        }
        return (0...max(0, whole / step)).map { $0 * step }
    }

    private func place(_ nanoseconds: Int64, of whole: Int64) -> Double {
        min(1, max(0, Double(nanoseconds) / Double(whole))) * Double(Self.width - Self.labels - 90)
    }

    /// Vertical lines with their times.
    private func scale(_ whole: Int64, _ top: Int, rows: Int) -> String {
        Self.ticks(whole).map { tick in
            let at = Self.labels + Int(place(tick, of: whole))
            let time = tick == 0 ? "0" : OperationTable.milliseconds(tick) + " ms"
            return
                "<line x1=\"\(at)\" y1=\"\(top + 14)\" x2=\"\(at)\" y2=\"\(top + 18 + rows * Self.row)\" stroke=\"#dddddd\"/>\n"
                + label(at, top + 10, time, "font-size=\"10\" fill=\"#777777\" text-anchor=\"middle\"")
        }.joined()
    }

    private func bar(
        _ name: String, from start: Int64, _ duration: Int64, of whole: Int64, depth: Int, _ top: Int, _ fill: String
    ) -> String {
        let from = Double(Self.labels) + place(start, of: whole)
        let length = max(1.5, place(duration, of: whole))
        let shown = name.count > 34 ? name.prefix(33) + "…" : name
        return "<g><title>\(Self.escaped(name)): \(time(duration))</title>\n"
            + label(24 + depth * 14, top + 15, shown, "fill=\"#333333\"")
            + "<rect x=\"\(decimal(from, places: 1))\" y=\"\(top + 4)\" width=\"\(decimal(length, places: 1))\" height=\"14\" rx=\"2\" "
            + "fill=\"\(fill)\"/>\n"
            + label(Int(from + length) + 6, top + 15, time(duration), "font-size=\"11\" fill=\"#555555\"") + "</g>\n"
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
