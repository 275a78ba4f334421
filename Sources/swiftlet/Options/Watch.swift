import ArgumentParser
import CLICore

/// --watch of commands that show numbers.
struct Watch: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Show it again and again, until interrupted.")
    var watch = false

    /// Shows what `body` makes, once or again and again: on a terminal in the place of the last, else below it.
    func show(on console: Console, _ body: () async throws -> String) async throws {
        repeat {
            let text = try await body()
            try console.out(watch && console.outputIsTerminal ? Self.screen(text, console.size()) : text)
        } while watch
    }

    /// The text in the place of what was there, as much of it as the terminal has room for: one that scrolled would show its end.
    static func screen(_ text: String, _ size: (rows: Int, columns: Int)?) -> String {
        let size = size ?? (24, 80)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last?.isEmpty == true { lines.removeLast() }
        if lines.count > size.rows {
            let hidden = lines.count - max(0, size.rows - 1)
            lines = lines.prefix(max(0, size.rows - 1)) + ["... \(hidden) more"]
        }
        // Each line is cleared behind its end and the rest below: a terminal that clears first would flicker.
        let shown = lines.map { $0.prefix(max(1, size.columns - 1)) + "\u{1b}[K" }
        return "\u{1b}[H" + shown.joined(separator: "\n") + "\u{1b}[J"
    }

    /// Shows samples that are taken some seconds apart. A table of rates needs two from the beginning, other texts show the first.
    func show<Sample>(
        on console: Console, every seconds: Int, beginsWithTwo: Bool, sample: () async throws -> Sample,
        text: (_ last: Sample, _ earlier: Sample) throws -> String
    ) async throws {
        var last = try await sample()
        var isFirst = true
        try await show(on: console) {
            let earlier = last
            if beginsWithTwo || !isFirst {
                try await Task.sleep(for: .seconds(seconds))
                last = try await sample()
            }
            isFirst = false
            return try text(last, earlier)
        }
    }
}
