import CLICore

/// A sign of life on a terminal while something without progress of its own goes on; nothing where there is no terminal.
enum Spinner {
    static func show<Value: Sendable>(
        _ what: String, on console: Console, while body: @Sendable () async throws -> Value
    ) async throws -> Value {
        guard console.errorIsTerminal else { return try await body() }
        let outcome: Result<Value, any Error> = await withTaskGroup(of: Void.self) { drawing in
            drawing.addTask { await draw(printable(what), on: console) }
            defer { drawing.cancelAll() }
            do { return .success(try await body()) } catch { return .failure(error) }
        }
        bestEffort { try console.err("\r\u{1b}[K") }
        return try outcome.get()
    }

    private static func draw(_ what: String, on console: Console) async {
        let frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
        let start = ContinuousClock.now
        // What ends quickly needs no sign of life.
        var pause = Duration.milliseconds(300)
        for turn in 0... {
            do { try await Task.sleep(for: pause) } catch { return }
            pause = .milliseconds(100)
            let seconds = decimal((ContinuousClock.now - start) / .seconds(1), places: 1)
            bestEffort { try console.err("\r\u{1b}[K\(frames[turn % frames.count]) \(what) \(seconds) s") }
        }
    }
}
