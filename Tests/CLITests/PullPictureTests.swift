import CLICore
import SwiftProtobuf
import SwiftletAPI
import Testing

@testable import swiftlet

@Suite struct PullPictureTests {
    private let start = ContinuousClock.now

    private func picture(_ progress: Swiftlet_V1_PullProgress...) -> PullPicture {
        var picture = PullPicture(name: "app")
        for (second, progress) in progress.enumerated() { picture.take(progress, at: start + .seconds(second)) }
        return picture
    }

    private func lines(_ picture: PullPicture, rows: Int = 20, columns: Int = 80) -> [String] {
        picture.lines(rows: rows, columns: columns, at: start + .seconds(1))
    }

    @Test("each layer has a line with what is known of it, and all have one together")
    func full() {
        let picture = picture(
            .fake(layers: (.layerPresent, 0, 5_000_000), (.layerFetching, 1_000_000, 8_000_000), (.layerWaiting, 0, 0)),
            .fake(
                layers: (.layerPresent, 0, 5_000_000), (.layerFetching, 3_000_000, 8_000_000),
                (.layerUnpacking, 4000, 4000),
                (.layerDone, 1_500_000, 1_500_000), (.layerWaiting, 0, 70)))
        #expect(
            lines(picture) == [
                "000fffffffff  present",
                "111fffffffff  [==========>                  ]  3MB of 8MB  2MB/s",
                "222fffffffff  unpacking  4kB",
                "333fffffffff  done  1.5MB",
                "444fffffffff  waiting",
                "total  [==============>               ]  4.5MB of 9.5MB  3.5MB/s",
            ])
    }

    @Test(
        "no line is as wide as the terminal, and no more of them than it has room for",
        arguments: [1, 2, 5, 13, 20, 39, 40, 47, 60, 80, 200])
    func widths(columns: Int) {
        let layers = picture(
            .fake(layers: (.layerFetching, 1, 8_000_000), (.layerFetching, 0, 0), (.layerDone, 3, 3)),
            .fake(layers: (.layerFetching, 7_999_999, 8_000_000), (.layerFetching, 0, 0), (.layerDone, 3, 3)))
        for rows in 1...6 {
            let lines = lines(layers, rows: rows, columns: columns)
            #expect(lines.count <= rows && !lines.isEmpty)
            #expect(lines.allSatisfy { $0.count < max(2, columns) }, "\(lines)")
        }
        if columns >= 40 { #expect(lines(layers, columns: columns)[0].contains("8MB of 8MB")) }
        if columns == 13 { #expect(lines(layers, columns: columns)[0] == "000ffff  99%") }
    }

    @Test("where layers do not fit, those that move are shown")
    func many() {
        let waiting = Array(
            repeating: (state: Swiftlet_V1_LayerState.layerWaiting, fetched: Int64(0), total: Int64(9)), count: 30)
        var progress = Swiftlet_V1_PullProgress.fake(
            layers: (.layerDone, 9, 9), (.layerPresent, 0, 9), (.layerFetching, 1, 9))
        progress.layers +=
            Swiftlet_V1_PullProgress.with { pull in
                pull.layers = waiting.map { layer in
                    .with { ($0.state, $0.bytesTotal, $0.digest) = (layer.state, layer.total, "sha256:w") }
                }
            }.layers
        #expect(
            lines(picture(progress), rows: 4, columns: 60).map { $0.split(separator: " ").first } == [
                "222fffffffff", "w", "...", "total",
            ])
    }

    @Test("digests and names that are no such thing drive no terminal")
    func hostile() {
        var progress = Swiftlet_V1_PullProgress.fake(
            layers: (.layerFetching, Int64.max, -1), (.layerFetching, -5, Int64.max))
        progress.layers[0].digest = "\u{1b}[2J\u{7}\n"
        progress.layers[1].digest = ""
        var picture = PullPicture(name: "a\u{1b}]0;x\u{7}")
        picture.take(progress, at: start)
        progress.state = .pullResolving
        for state in [Swiftlet_V1_PullState.pullResolving, .pullFetching, .pullFailed, .pullDone, .UNRECOGNIZED(9)] {
            progress.state = state
            picture.take(progress, at: start + .seconds(1))
            let text = lines(picture).joined()
            #expect(!text.unicodeScalars.contains { $0.value < 32 || $0.value == 127 }, "\(text)")
        }
    }

    @Test("a pull that succeeded is shown as such, whatever was the last to be told")
    func finishing() {
        var picture = picture(.fake(layers: (.layerPresent, 0, 5), (.layerFetching, 1, 8), (.layerWaiting, 0, 7)))
        picture.finish()
        #expect(
            lines(picture) == [
                "000fffffffff  present", "111fffffffff  done  8B", "222fffffffff  done  7B", "total  15B fetched",
            ])
    }

    @Test("rates are of the last seconds, and fall to nothing when nothing comes")
    func rates() {
        var rate = TransferRate()
        #expect(rate.perSecond(at: start) == nil)
        for second in 0..<100 { rate.note(Int64(second) * 100, at: start + .seconds(second)) }
        #expect(rate.perSecond(at: start + .seconds(99)) == 100)
        #expect(rate.perSecond(at: start + .seconds(200)) == 0)
        rate.note(0, at: start + .seconds(201))
        #expect(rate.perSecond(at: start + .seconds(201)) == nil)
    }

    @Test("of several pulls of an image the youngest that runs is shown, and then its end")
    func choosing() {
        var choice = PullChoice()
        #expect(choice.choose([]) == nil)
        let ended = Swiftlet_V1_PullProgress.fake(startedAt: 1, state: .pullFailed)
        #expect(choice.choose([ended]) == nil)
        #expect(choice.choose([ended, .fake(startedAt: 2), .fake(startedAt: 3)])?.startedAt == 3)
        #expect(choice.choose([.fake(startedAt: 3, state: .pullDone), ended])?.state == .pullDone)
    }

    @Test("as lines a pull says what began and ended, and how far it is now and then")
    func asLines() {
        var lines = PullLines()
        #expect(lines.take([.fake("app", state: .pullResolving)], at: start) == ["app: resolving"])
        #expect(
            lines.take([.fake("app", layers: (.layerFetching, 1, 8), (.layerPresent, 0, 5))], at: start) == [
                "app: 2 layers of 13B", "app: 111fffffffff present",
            ])
        #expect(lines.take([.fake("app", layers: (.layerFetching, 2, 8), (.layerPresent, 0, 5))], at: start) == [])
        #expect(
            lines.take([.fake("app", layers: (.layerFetching, 3, 8), (.layerPresent, 0, 5))], at: start + .seconds(6))
                == [
                    "app: 3B of 8B"
                ])
        #expect(
            lines.take([.fake("app", state: .pullDone, layers: (.layerDone, 8, 8), (.layerPresent, 0, 5))], at: start)
                == [
                    "app: 000fffffffff done, 8B", "app: done",
                ])
        let failed = Swiftlet_V1_PullProgress.fake("a\u{1b}", startedAt: 9, state: .pullFailed, error: "no\u{7}\nway")
        #expect(lines.take([failed], at: start) == ["a?: resolving", "a?: failed: no??way"])
    }

    @Test("a block is drawn over itself, also when the terminal has folded it")
    func block() {
        var block = LiveBlock()
        #expect(block.draw(["a", "b"], rows: 24, columns: 80) == "\r\u{1b}[Ja\nb\n")
        #expect(block.draw(["12345"], notes: "n\n", rows: 24, columns: 80) == "\u{1b}[2A\r\u{1b}[Jn\n12345\n")
        // Two rows of three characters.
        #expect(block.draw([], rows: 24, columns: 3) == "\u{1b}[2A\r\u{1b}[J")
        #expect(block.draw(["a", "b", "c"], rows: 2, columns: 1) == "\r\u{1b}[Ja\nb\nc\n")
        #expect(block.erase(rows: 2, columns: 0) == "\u{1b}[1A\r\u{1b}[J")
        _ = block.draw(["a"], rows: 24, columns: 80)
        block.leave()
        #expect(block.draw(["b"], rows: 24, columns: 80) == "\r\u{1b}[Jb\n")
    }

    @Test("all pulls fit the terminal, and those that ended stay above")
    func all() async throws {
        let captured = CapturedConsole(isTerminal: true)
        let screen = PullsScreen(console: captured.console, now: { [start] in start })
        try await screen.take([])
        #expect(captured.out == "\r\u{1b}[Jno pull is under way\n")
        try await screen.take([
            .fake("a:1", layers: (.layerWaiting, 0, 1)), .fake("b:1", startedAt: 2, state: .pullResolving),
        ])
        #expect(
            captured.out.hasSuffix(
                "a:1\n000fffffffff  waiting\ntotal  [>                             ]  0B of 1B\nb:1\nresolving b:1\n"))
        try await screen.take([.fake("a:1", state: .pullFailed, error: "x\u{1b}")])
        #expect(captured.out.hasSuffix("\u{1b}[5A\r\u{1b}[Ja:1: failed after 0 ms: x?\nno pull is under way\n"))
        let many = (0..<50).map { number in
            var picture = PullPicture(name: "image \(number)")
            picture.take(.fake(layers: (.layerWaiting, 0, 1)), at: start)
            return picture
        }
        for rows in [1, 2, 10, 30] {
            let lines = PullsScreen.lines(many, rows: rows, columns: 30, at: start)
            #expect(lines.count <= max(1, rows - 1) && lines.allSatisfy { $0.count < 30 })
        }
    }
}
