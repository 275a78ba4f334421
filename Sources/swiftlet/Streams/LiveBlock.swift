/// Lines at the end of a terminal that are drawn again over themselves.
///
/// The cursor always rests at the beginning of the line below, and neither is it hidden nor a colour set: however the program
/// ends, the terminal is as a shell wants it.
struct LiveBlock {
    /// Characters of each line on the terminal.
    private var drawn: [Int] = []

    /// What draws `lines` in the place of the old ones, with `notes` (ended lines) above them for good. The caller has cut the
    /// lines to the terminal: fewer than its rows, shorter than its columns.
    mutating func draw(_ lines: [String], notes: String = "", rows: Int, columns: Int) -> String {
        let text = erase(rows: rows, columns: columns) + notes + lines.map { $0 + "\n" }.joined()
        drawn = lines.map(\.count)
        return text
    }

    /// What takes the block away.
    mutating func erase(rows: Int, columns: Int) -> String {
        // A terminal that became narrower has folded what was drawn for a wider one.
        let height = drawn.reduce(0) { $0 + max(1, ($1 + max(1, columns) - 1) / max(1, columns)) }
        drawn = []
        // In one piece with what follows, so that nothing flickers.
        return height > 0 ? "\u{1b}[\(min(height, max(1, rows - 1)))A\r\u{1b}[J" : "\r\u{1b}[J"
    }

    /// Leaves what is drawn where it is.
    mutating func leave() { drawn = [] }
}
