import CLICore
import SwiftletAPI
import SwiftProtobuf

extension Session {
    /// Runs `body`, which pulls `name`, and hands on meanwhile how far the pull is; nothing where the runtime does not tell.
    func watchingPull<Value: Sendable>(
        _ name: String, take: @escaping @Sendable (Swiftlet_V1_PullProgress) async -> Void,
        while body: @Sendable () async throws -> Value
    ) async throws -> Value {
        let outcome: Result<Value, any Error> = await withTaskGroup(of: Void.self) { watching in
            watching.addTask { await watchPull(name, take) }
            defer { watching.cancelAll() }
            do { return .success(try await body()) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    private func watchPull(_ name: String, _ take: (Swiftlet_V1_PullProgress) async -> Void) async {
        var choice = PullChoice()
        do {
            try await images.stream(NodeMethods.watchPulls, .with { $0.image = name }, to: "watch pulls") { message in
                if let progress = choice.choose(message.pulls) { await take(progress) }
            }
        } catch {
            // Another runtime (Unimplemented), or one that goes away: then the pull itself says so.
            return
        }
    }
}

/// Which of several pulls of one image is shown: a kubelet may pull it at the same time, and fail at it.
struct PullChoice {
    private var shown: Int64?

    mutating func choose(_ pulls: [Swiftlet_V1_PullProgress]) -> Swiftlet_V1_PullProgress? {
        // Ours began last, and what is shared looks the same in all.
        let running = pulls.filter(\.isRunning).max { $0.startedAt < $1.startedAt }
        guard let choice = running ?? pulls.first(where: { $0.startedAt == shown }) else { return nil }
        shown = choice.startedAt
        return choice
    }
}
