import ArgumentParser
import CLICore

/// What the rows of `top` are sorted by: the largest first, names in their order.
enum TopOrder: String, ExpressibleByArgument, CaseIterable, Sendable {
    case cpu, memory, io, name

    /// The order that a key on the keyboard means.
    init?(key: UInt8) {
        guard let order = Self.allCases.first(where: { $0.rawValue.utf8.first == key }) else { return nil }
        self = order
    }

    fileprivate func comesFirst(_ one: TopRow, _ other: TopRow) -> Bool {
        let names = (one.name, one.id) < (other.name, other.id)
        switch self {
        case .name: return names
        case .cpu: return Self.larger(one.cpu, other.cpu) ?? names
        case .memory: return Self.larger(one.memory.map(Double.init), other.memory.map(Double.init)) ?? names
        case .io:
            return Self.larger(one.disk.map { $0.read + $0.written }, other.disk.map { $0.read + $0.written })
                ?? Self.larger(one.ioPressure, other.ioPressure) ?? names
        }
    }

    /// Nil if they are alike; what is not known comes last.
    private static func larger(_ one: Double?, _ other: Double?) -> Bool? {
        let (one, other) = (one ?? -1, other ?? -1)
        return one == other ? nil : one > other
    }
}

/// The table of `top`. Pure.
enum TopTable {
    /// The rows in their order: pods with their containers behind them, or containers alone.
    static func rows(
        _ groups: [(pod: TopRow?, containers: [TopRow])], by order: TopOrder, isFlat: Bool
    ) -> [TopRow] {
        if isFlat { return groups.flatMap(\.containers).sorted(by: order.comesFirst) }
        let (pods, rest) = (groups.filter { $0.pod != nil }, groups.filter { $0.pod == nil })
        let sorted = pods.sorted { one, other in
            guard let one = one.pod, let other = other.pod else { return false }
            return order.comesFirst(one, other)
        }
        return (sorted + rest).flatMap { group in
            (group.pod.map { [$0] } ?? []) + group.containers.sorted(by: order.comesFirst)
        }
    }

    /// A heading and a line for each row, with the columns that fit in `columns` and as many rows as fit in `rows`; all of them
    /// where there is no terminal.
    static func lines(_ rows: [TopRow], size: (rows: Int, columns: Int)?, isFlat: Bool) -> [String] {
        let hasDisks = rows.contains { $0.disk != nil }
        let heading =
            ["NAME", "CPU %", "MEM", "LIMIT", "PIDS"] + (hasDisks ? ["READ/S", "WRITE/S"] : [])
            + ["CPU PSI", "MEM PSI", "IO PSI", "ID"]
        let cells = rows.map { row in
            let indent = row.kind == .container && !isFlat ? "  " : ""
            return [
                indent + printable(row.name), number(row.cpu), row.memory.map(sizeText) ?? "-",
                row.limit.map(sizeText) ?? "-", row.processes.map { String($0) } ?? "-",
            ] + (hasDisks ? [bytes(row.disk?.read), bytes(row.disk?.written)] : []) + [
                number(row.cpuPressure), number(row.memoryPressure), number(row.ioPressure), shortID(printable(row.id)),
            ]
        }
        let width = size.map { max(1, $0.columns - 1) } ?? Int.max
        var widths = heading.indices.map { column in
            ([heading] + cells).map { $0[column].count }.max() ?? 0
        }
        // A long name gives way to what there is to see of its pod; further columns stay away where they do not fit.
        if width < Int.max { widths[0] = min(widths[0], max(8, width / 2)) }
        var shown = 1
        var used = widths[0]
        while shown < widths.count, used + 2 + widths[shown] <= width {
            used += 2 + widths[shown]
            shown += 1
        }
        var lines = ([heading] + cells).map { row in
            var line = cut(row[0], widths[0])
            for column in 1..<max(1, shown) where column < shown {
                let cell = row[column]
                let pad = String(repeating: " ", count: widths[column] - cell.count)
                line += "  " + (column == widths.count - 1 ? cell + pad : pad + cell)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return String(line.prefix(width))
        }
        guard let size else { return lines }
        let room = max(1, size.rows - 1)
        if lines.count > room {
            let hidden = lines.count - room + 1
            lines = lines.prefix(room - 1) + [String("... \(hidden) more".prefix(width))]
        }
        return lines
    }

    private static func cut(_ text: String, _ width: Int) -> String {
        text.count > width
            ? text.prefix(max(0, width - 1)) + "~" : text + String(repeating: " ", count: width - text.count)
    }

    private static func bytes(_ value: Double?) -> String {
        guard let value, let bytes = UInt64(exactly: value.rounded()) else { return "-" }
        return sizeText(bytes)
    }

    private static func number(_ value: Double?) -> String { value.map { decimal($0, places: 1) } ?? "-" }
}
