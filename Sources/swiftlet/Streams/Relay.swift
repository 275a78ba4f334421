import CLICore
import Linux
import StreamClient
import UnixSignals

/// Joins this program's standard streams and terminal to a remote process until one of the two ends.
struct Relay: Sendable {
    /// How it came to the end.
    enum End: Equatable, Sendable {
        case outcome(RemoteOutcome)
        case detached
        /// The limit of time has passed.
        case late
    }

    private enum Event: Sendable {
        case ended(Result<End, any Error>)
        case signal(Signal)
    }

    let console: Console
    let streams: RemoteStreams
    var detachKeys: DetachKeys?
    var limit: Duration?
    /// Whether a signal ends the program while the terminal is raw; false where somebody else sees to signals.
    var endsBySignals = true

    /// Connects to the URL and copies. Ends the program if a signal asks for that while the terminal is in raw mode.
    func run(_ url: String, _ options: StreamOptions) async throws -> End {
        let terminal = streams.tty && streams.stdin ? try RawTerminal() : nil
        let command = try await Self.open(url, streams, options)
        return try await withRaw(terminal) { try await copy(command, terminal) }
    }

    private static func open(
        _ url: String, _ streams: RemoteStreams, _ options: StreamOptions
    ) async throws(Failure) -> RemoteCommand {
        do {
            return try await RemoteCommand.open(StreamURL(url), streams, options)
        } catch {
            throw Failure(error.description)
        }
    }

    private func withRaw<Result>(_ terminal: RawTerminal?, _ body: () async throws -> Result) async throws -> Result {
        try terminal?.enter()
        defer { terminal?.restore() }
        return try await body()
    }

    private func copy(_ command: RemoteCommand, _ terminal: RawTerminal?) async throws -> End {
        let input = streams.stdin ? try StandardInput() : nil
        let signals = await trappedSignals(terminal)
        let (events, source) = AsyncStream.makeStream(of: Event.self)
        if streams.tty, let size = RawTerminal.size { command.resize(rows: size.rows, columns: size.columns) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            // Each of these ends a child that waits.
            defer {
                group.cancelAll()
                input?.cancel()
                command.close()
            }
            group.addTask { source.yield(.ended(await showOutput(of: command))) }
            if let input { group.addTask { await sendInput(input, to: command, source) } }
            if let signals { group.addTask { for await signal in signals { source.yield(.signal(signal)) } } }
            if let limit {
                group.addTask {
                    do { try await Task.sleep(for: limit) } catch { return }
                    source.yield(.ended(.success(.late)))
                }
            }
            for await event in events {
                switch event {
                case .ended(let result): return try result.get()
                case .signal(.windowChange), .signal(.continue):
                    if let terminal { bestEffort { try terminal.enter() } }
                    guard let size = RawTerminal.size else { continue }
                    command.resize(rows: size.rows, columns: size.columns)
                case .signal(let signal): terminal?.end(by: signal)
                }
            }
            throw CancellationError()
        }
    }

    /// Signals that mean something for the terminal; without one they do what they do to any program.
    private func trappedSignals(_ terminal: RawTerminal?) async -> AsyncStream<Signal>? {
        guard streams.tty else { return nil }
        let ends: [UnixSignal] = terminal == nil || !endsBySignals ? [] : [.sigterm, .sighup, .sigint, .sigquit]
        let trapped = await UnixSignalsSequence(trapping: [.sigwinch, .sigcont] + ends)
        return AsyncStream { continuation in
            let task = Task {
                for await signal in trapped { continuation.yield(Signal(rawValue: signal.rawValue)) }
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    // MARK: - Copying

    private func showOutput(of command: RemoteCommand) async -> Result<End, any Error> {
        let pool = BlockingPool(name: "stdout", threadsMax: 1)
        do {
            while let output = await command.next() {
                try await pool.run { [console] in
                    switch output {
                    case .stdout(let bytes): try console.writeOut(bytes)
                    case .stderr(let bytes): try console.writeError(bytes)
                    }
                }
            }
            return .success(.outcome(try command.outcome()))
        } catch let error as StreamError {
            return .failure(Failure(error.description))
        } catch {
            return .failure(error)
        }
    }

    private func sendInput(
        _ input: StandardInput, to command: RemoteCommand, _ source: AsyncStream<Event>.Continuation
    ) async {
        var keys = detachKeys
        do {
            while let typed = try await input.read() {
                let (bytes, isDetached) = keys?.filter(typed) ?? (typed, false)
                if !bytes.isEmpty { try await command.send(bytes) }
                if isDetached { source.yield(.ended(.success(.detached))) }
            }
        } catch is StreamError {
            // The process takes no more input; how it ends is told by its output's end.
            return
        } catch {
            source.yield(.ended(.failure(Failure("read the input: \(error)"))))
            return
        }
        guard !Task.isCancelled, await !command.endInput() else { return }
        bestEffort {
            try console.err(
                "swiftlet: the runtime's WebSocket cannot be told that the input has ended: use --transport spdy\n")
        }
    }
}
