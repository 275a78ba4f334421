import CLICore
import SwiftletAPI

/// All pulls of a runtime on a terminal: bars of those that run, and a line for each that ended above them.
actor PullsScreen {
    private let console: Console
    private let now: @Sendable () -> ContinuousClock.Instant
    private var pictures: [Int64: (picture: PullPicture, since: ContinuousClock.Instant)] = [:]
    private var block = LiveBlock()

    init(console: Console, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.console = console
        self.now = now
    }

    func take(_ pulls: [Swiftlet_V1_PullProgress]) throws {
        let time = now()
        var notes = ""
        for pull in pulls {
            let known = pictures[pull.startedAt] ?? (PullPicture(name: pull.image), time)
            var picture = known.picture
            picture.take(pull, at: time)
            pictures[pull.startedAt] = (picture, known.since)
            guard !pull.isRunning else { continue }
            pictures[pull.startedAt] = nil
            let took = durationText(time - known.since)
            let end = pull.state == .pullDone ? "done in \(took)" : "failed after \(took): \(printable(pull.error))"
            notes += "\(picture.name): \(end)\n"
        }
        let running = Set(pulls.filter(\.isRunning).map(\.startedAt))
        pictures = pictures.filter { running.contains($0.key) }
        try draw(notes, at: time)
    }

    /// Draws again, for what changes without messages.
    func refresh() throws { try draw("", at: now()) }

    private func draw(_ notes: String, at time: ContinuousClock.Instant) throws {
        let size = console.size() ?? (rows: 24, columns: 80)
        let shown = pictures.sorted { $0.key < $1.key }.map(\.value.picture)
        let lines = Self.lines(shown, rows: size.rows, columns: size.columns, at: time)
        try console.out(block.draw(lines, notes: notes, rows: size.rows, columns: size.columns))
    }

    /// A heading and bars for each pull, all of them within the terminal.
    static func lines(
        _ pictures: [PullPicture], rows: Int, columns: Int, at time: ContinuousClock.Instant
    ) -> [String] {
        let width = max(1, columns - 1)
        let room = max(1, rows - 1)
        guard !pictures.isEmpty else { return [String("no pull is under way".prefix(width))] }
        let each = max(1, room / pictures.count - 1)
        let all = pictures.flatMap { picture in
            [String(picture.name.prefix(width))] + picture.lines(rows: each, columns: columns, at: time)
        }
        guard all.count > room else { return all }
        return all.prefix(room - 1) + [String("... \(all.count - room + 1) more lines".prefix(width))]
    }
}
