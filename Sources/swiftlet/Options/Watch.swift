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
            // Home, and then clear to the end: a terminal that clears first would flicker.
            try console.out(watch && console.outputIsTerminal ? "\u{1b}[H\u{1b}[2J" + text : text)
        } while watch
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
