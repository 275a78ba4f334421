import CLICore
import SwiftletAPI

/// The bars of one pull on the terminal that standard error is; a spinner until there is something to draw bars of.
actor PullBars {
    private static let pause = Duration.milliseconds(100)
    /// What ends quickly needs no sign of life.
    private static let quiet = Duration.milliseconds(300)

    private let console: Console
    private let start = ContinuousClock.now
    private var picture: PullPicture
    private var block = LiveBlock()
    private var shown: (lines: [String], columns: Int)?
    private var turn = 0

    init(console: Console, name: String) {
        self.console = console
        picture = PullPicture(name: name)
    }

    /// Draws again and again until the task is cancelled: rates fall and the size of the terminal changes though nothing comes.
    func draw() async {
        do { try await Task.sleep(for: Self.quiet) } catch { return }
        while !Task.isCancelled {
            show()
            turn += 1
            do { try await Task.sleep(for: Self.pause) } catch { return }
        }
    }

    func take(_ progress: Swiftlet_V1_PullProgress) { picture.take(progress, at: .now) }

    /// The image is there: all layers are done and stay on the screen; a spinner goes.
    func finish() {
        guard picture.hasLayers else { return takeAway() }
        picture.finish()
        show()
        block.leave()
    }

    /// The pull failed or nobody waits for it any more: the bars stay where they were.
    func leave() {
        guard picture.hasLayers else { return takeAway() }
        show()
        block.leave()
    }

    private func takeAway() {
        guard shown != nil else { return }
        let size = size
        let text = block.erase(rows: size.rows, columns: size.columns)
        bestEffort { try console.err(text) }
    }

    private var size: (rows: Int, columns: Int) { console.size() ?? (rows: 24, columns: 80) }

    private func show() {
        let size = size
        let now = ContinuousClock.now
        let lines =
            picture.hasLayers ? picture.lines(rows: size.rows - 1, columns: size.columns, at: now) : [spinner(size)]
        if let shown, shown.lines == lines, shown.columns == size.columns { return }
        shown = (lines, size.columns)
        let text = block.draw(lines, rows: size.rows, columns: size.columns)
        bestEffort { try console.err(text) }
    }

    private func spinner(_ size: (rows: Int, columns: Int)) -> String {
        let seconds = decimal((ContinuousClock.now - start) / .seconds(1), places: 1)
        return String("\(Spinner.frame(turn)) pulling \(picture.name) \(seconds) s".prefix(max(1, size.columns - 1)))
    }
}
