import CLICore
import Testing

@testable import swiftlet

@Suite struct WatchTests {
    @Test(
        "what is shown again and again fits terminals of any size",
        arguments: [(1, 1), (1, 40), (3, 5), (24, 80), (100, 500)])
    func sizes(rows: Int, columns: Int) {
        let text = (0..<40).map { String(repeating: "\($0) ", count: $0 + 1) + "\n" }.joined()
        let screen = Watch.screen(text, (rows, columns))
        #expect(screen.hasPrefix("\u{1b}[H") && screen.hasSuffix("\u{1b}[J"))
        let lines = screen.dropFirst(3).dropLast(3).split(separator: "\n").map { $0.replacing("\u{1b}[K", with: "") }
        #expect(lines.count == min(40, rows))
        #expect(lines.allSatisfy { $0.count <= max(1, columns - 1) })
        #expect(columns < 20 || (lines.last?.hasPrefix("... ") == true) == (rows < 40))
    }

    @Test("colours follow the environment, and a dumb terminal is none")
    func environment() {
        let console = CapturedConsole(isTerminal: true).console
        #expect(console.hasColours && console.adapted(to: ["TERM": "xterm", "NO_COLOR": ""]).hasColours)
        let plain = console.adapted(to: ["NO_COLOR": "1"])
        #expect(!plain.hasColours && plain.outputIsTerminal)
        let dumb = console.adapted(to: ["TERM": "dumb"])
        #expect(!dumb.hasColours && !dumb.outputIsTerminal && !dumb.errorIsTerminal)
    }
}
