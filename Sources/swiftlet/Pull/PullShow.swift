import ArgumentParser
import CLICore
import SwiftletAPI

/// How a pull is shown.
enum PullStyle: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// Bars where standard error is a terminal, else nothing.
    case auto
    /// Lines of text, whatever standard error is.
    case plain
    case none
}

extension Session {
    /// Runs `body`, which pulls `name`, and shows meanwhile how far it is.
    func showingPull<Value: Sendable>(
        _ name: String, as style: PullStyle, while body: @Sendable () async throws -> Value
    ) async throws -> Value {
        switch style {
        case .none: return try await body()
        case .plain: return try await showingLines(name, body)
        case .auto: return console.errorIsTerminal ? try await showingBars(name, body) : try await body()
        }
    }

    private func showingBars<Value: Sendable>(
        _ name: String, _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        let bars = PullBars(console: console, name: name)
        let outcome: Result<Value, any Error> = await withTaskGroup(of: Void.self) { drawing in
            drawing.addTask { await bars.draw() }
            defer { drawing.cancelAll() }
            do {
                return .success(try await watchingPull(name, take: { await bars.take($0) }, while: body))
            } catch {
                return .failure(error)
            }
        }
        if case .success = outcome { await bars.finish() } else { await bars.leave() }
        return try outcome.get()
    }

    private func showingLines<Value: Sendable>(
        _ name: String, _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        let writer = PullLineWriter(console: console)
        let value = try await watchingPull(name, take: { await writer.take($0) }, while: body)
        await writer.finish()
        return value
    }
}

/// Writes the lines of one pull to standard error.
private actor PullLineWriter {
    private let console: Console
    private var lines = PullLines()
    private var last: Swiftlet_V1_PullProgress?

    init(console: Console) { self.console = console }

    func take(_ progress: Swiftlet_V1_PullProgress) {
        last = progress.isRunning ? progress : nil
        let text = lines.take([progress], at: .now).map { $0 + "\n" }.joined()
        if !text.isEmpty { bestEffort { try console.err(text) } }
    }

    /// The call succeeded before the last message came.
    func finish() {
        guard let last else { return }
        var picture = PullPicture(name: last.image)
        picture.take(last, at: .now)
        picture.finish()
        take(picture.progress)
    }
}
