/// A table for a terminal: columns as wide as their widest cell, three spaces between them, no trailing spaces.
package struct Table: Sendable {
    private var rows: [[String]]

    package init(_ header: [String]) { rows = [header] }

    /// Adds a row; control characters in it become "?", since names and labels come from anywhere.
    package mutating func add(_ row: [String]) { rows.append(row.map(printable)) }

    /// The table as lines, each ended.
    package var text: String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        return rows.map { row in
            var line = ""
            for (cell, width) in zip(row, widths) {
                line += cell + String(repeating: " ", count: width - cell.count + 3)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}

/// The text with every control character replaced by "?", so that nothing a container or registry says can drive a terminal.
package func printable(_ text: String) -> String {
    let isControl = { (scalar: Unicode.Scalar) in
        scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .lineSeparator
            || scalar.properties.generalCategory == .paragraphSeparator
    }
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var clean = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { clean.append(isControl(scalar) ? "?" : scalar) }
    return String(clean)
}
