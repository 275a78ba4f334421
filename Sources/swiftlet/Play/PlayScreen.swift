import CLICore
import Play
import SwiftletAPI

/// Shows pods as they change: a table that is drawn again and again on a terminal, a line for each change elsewhere.
actor PlayScreen {
    private let console: Console
    /// Lines and columns of the terminal; nil where changes are written as lines.
    private let size: (@Sendable () -> (rows: Int, columns: Int)?)?
    private var snapshots: [PodSnapshot?]
    /// Pulls under way, by who wants them.
    private var pulls: [String: PullPicture] = [:]
    private var block = LiveBlock()
    /// What writing failed with: the reader has gone.
    private(set) var failure: (any Error)?
    private let onFailure: @Sendable () -> Void

    init(
        console: Console, pods: Int, size: (@Sendable () -> (rows: Int, columns: Int)?)?,
        onFailure: @escaping @Sendable () -> Void
    ) {
        self.console = console
        self.size = size
        self.onFailure = onFailure
        snapshots = Array(repeating: nil, count: pods)
    }

    /// Shows one of the pods.
    func show(_ snapshot: PodSnapshot, at index: Int) {
        let before = snapshots[index]
        guard before != snapshot else { return }
        snapshots[index] = snapshot
        if size != nil { return draw("") }
        let lines = snapshot.changes(since: before)
        if !lines.isEmpty { write(lines.map { printable($0) + "\n" }.joined()) }
    }

    /// Says something beside the table: progress, and failures that are tried again.
    func note(_ text: String) {
        let line = printable(text) + "\n"
        if size == nil { write(line) } else { draw(line) }
    }

    /// Shows how far a pull is, below the table; elsewhere its beginning and end are noted, and no more.
    func showPull(_ progress: Swiftlet_V1_PullProgress, for key: String) {
        guard size != nil else { return }
        var picture = pulls[key] ?? PullPicture(name: progress.image)
        picture.take(progress, at: .now)
        pulls[key] = picture
        draw("")
    }

    func endPull(for key: String) {
        if pulls.removeValue(forKey: key) != nil { draw("") }
    }

    // MARK: - Drawing

    private func draw(_ notes: String) {
        let size = self.size?() ?? (rows: 24, columns: 80)
        var lines = Self.table(snapshots.compactMap { $0 }, rows: size.rows, columns: size.columns)
        let room = size.rows - 1 - lines.count
        if !pulls.isEmpty, room > 1 {
            let shown = pulls.sorted { $0.key < $1.key }.map(\.value)
            lines += PullsScreen.lines(shown, rows: room + 1, columns: size.columns, at: .now)
        }
        write(block.draw(lines, notes: notes, rows: size.rows, columns: size.columns))
    }

    private func write(_ text: String) {
        guard failure == nil else { return }
        do { try console.out(text) } catch {
            failure = error
            onFailure()
        }
    }

    /// The table, cut to what fits a terminal: a line that wraps could not be drawn over.
    static func table(_ snapshots: [PodSnapshot], rows: Int, columns: Int) -> [String] {
        let text = columns < wideColumns ? narrow(snapshots) : wide(snapshots)
        var lines = text.split(separator: "\n").map { String($0.prefix(max(1, columns - 1))) }
        let linesMax = max(1, rows - 1)
        if lines.count > linesMax {
            let hidden = lines.count - linesMax + 1
            lines = Array(lines.prefix(linesMax - 1)) + [String("... \(hidden) more".prefix(max(1, columns - 1)))]
        }
        return lines
    }

    /// On narrower terminals the states would be cut off behind the other columns.
    private static let wideColumns = 75

    private static func wide(_ snapshots: [PodSnapshot]) -> String {
        var table = Table(["POD", "PHASE", "CONTAINER", "RESTARTS", "LAST", "STATE"])
        for snapshot in snapshots {
            let phase = snapshot.phase.rawValue + (snapshot.isReady ? ", ready" : "")
            let isFirst = { (index: Int) in index == 0 }
            for (index, row) in snapshot.rows.enumerated() {
                table.add([
                    isFirst(index) ? snapshot.pod : "", isFirst(index) ? phase : "", row.name, String(row.restarts),
                    row.previousEnd.map { "\($0.reason) \($0.exitCode)" } ?? "-", row.stateText,
                ])
            }
            if !snapshot.message.isEmpty { table.add(["", "", "", "", "", snapshot.message]) }
        }
        return table.text
    }

    /// A line for each pod, and below it one for each container with its restarts behind its state.
    private static func narrow(_ snapshots: [PodSnapshot]) -> String {
        var table = Table(["POD", "STATE"])
        for snapshot in snapshots {
            table.add([snapshot.pod, snapshot.phase.rawValue + (snapshot.isReady ? ", ready" : "")])
            for row in snapshot.rows {
                let restarts = row.restarts == 0 ? "" : " (\(row.restarts) restart\(row.restarts == 1 ? "" : "s"))"
                table.add(["  " + row.name, row.stateText + restarts])
            }
            if !snapshot.message.isEmpty { table.add(["", snapshot.message]) }
        }
        return table.text
    }
}
