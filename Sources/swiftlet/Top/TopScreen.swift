import CLICore
import Linux
import UnixSignals

/// `top` on a terminal: drawn anew at each sample, at each key and when the terminal's size changes.
struct TopScreen: Sendable {
    private enum Event: Sendable {
        case sample(TopSample)
        case keys([UInt8])
        case inputEnded
        case signal(Signal)
        case failed(any Error)
    }

    let console: Console
    let seconds: Int
    let isFlat: Bool

    /// Runs until a key or a signal ends it. The terminal has its mode back on every way out.
    func run(by first: TopOrder, sample: @escaping @Sendable () async throws -> TopSample) async throws {
        let terminal = try RawTerminal()
        let input = try StandardInput()
        let (events, source) = AsyncStream.makeStream(of: Event.self)
        // Before the mode changes: a signal that comes in between would leave it changed.
        let signals = await UnixSignalsSequence(trapping: [
            .sigwinch, .sigcont, .sigterm, .sighup, .sigint, .sigquit,
        ])
        try terminal.enter()
        defer { terminal.restore() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer {
                group.cancelAll()
                input.cancel()
            }
            group.addTask { for await signal in signals { source.yield(.signal(Signal(rawValue: signal.rawValue))) } }
            group.addTask { await Self.readKeys(input, source) }
            group.addTask { await takeSamples(sample, source) }
            try await show(events, by: first, terminal)
        }
    }

    private func show(_ events: AsyncStream<Event>, by first: TopOrder, _ terminal: RawTerminal) async throws {
        var order = first
        var (earlier, last): (TopSample?, TopSample?) = (nil, nil)
        for await event in events {
            switch event {
            case .sample(let sample): (earlier, last) = (last, sample)
            case .keys(let keys):
                for key in keys {
                    // q, and what ctrl-c and ctrl-d are in raw mode.
                    if [UInt8(ascii: "q"), 3, 4].contains(key) { return try console.out("\r\n") }
                    order = TopOrder(key: key) ?? order
                }
            case .inputEnded: return
            case .signal(.windowChange): break
            case .signal(.continue): bestEffort { try terminal.enter() }
            case .signal(let signal): terminal.end(by: signal)
            case .failed(let error): throw error
            }
            if let last { try draw(last.groups(since: earlier), order) }
        }
    }

    private func draw(_ groups: [(pod: TopRow?, containers: [TopRow])], _ order: TopOrder) throws {
        let size = console.size() ?? (rows: 24, columns: 80)
        let counts = "pods \(groups.count { $0.pod != nil }), containers \(groups.map(\.containers.count).reduce(0, +))"
        let title = "\(counts), by \(order.rawValue)  (keys c m i n, q ends)"
        let rows = TopTable.rows(groups, by: order, isFlat: isFlat)
        let table = TopTable.lines(rows, size: (max(2, size.rows - 1), size.columns), isFlat: isFlat)
        let lines = ([String(title.prefix(max(1, size.columns - 1)))] + table).prefix(max(1, size.rows))
        // Each line is cleared behind its end and the rest below: a terminal that clears first would flicker. In raw mode a new
        // line does not begin at the left by itself.
        try console.out("\u{1b}[H" + lines.map { $0 + "\u{1b}[K" }.joined(separator: "\r\n") + "\u{1b}[J")
    }

    private static func readKeys(_ input: StandardInput, _ source: AsyncStream<Event>.Continuation) async {
        do {
            while let keys = try await input.read() { source.yield(.keys(keys)) }
            source.yield(.inputEnded)
        } catch {
            source.yield(.failed(Failure("read the input: \(error)")))
        }
    }

    private func takeSamples(
        _ sample: @Sendable () async throws -> TopSample, _ source: AsyncStream<Event>.Continuation
    ) async {
        // Rates need two samples: the second one is not waited for as long as the others.
        var isFirst = true
        do {
            while true {
                source.yield(.sample(try await sample()))
                try await Task.sleep(for: .seconds(isFirst ? 1 : seconds))
                isFirst = false
            }
        } catch {
            if !Task.isCancelled { source.yield(.failed(error)) }
        }
    }
}
