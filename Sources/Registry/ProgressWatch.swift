import Synchronization

/// Ends a transfer in which nothing arrives. Time that the receiver takes to consume what arrived does not count.
final class ProgressWatch: Sendable {
    private struct State {
        var steps = 0
        var isConsuming = false
    }
    private let state = Mutex(State())

    /// Something arrived.
    func step() { state.withLock { $0.steps += 1 } }

    /// Runs `body`, the receiver's part, with the clock stopped.
    func consuming<T>(_ body: () async throws -> T) async rethrows -> T {
        state.withLock { $0.isConsuming = true }
        defer {
            state.withLock { state in
                state.isConsuming = false
                state.steps += 1
            }
        }
        return try await body()
    }

    /// Runs `body` and throws `failure` if it makes no step for `timeout`; either way `body` has ended when this
    /// returns.
    static func run<T: Sendable>(
        timeout: Duration, failure: RegistryError, _ body: @escaping @Sendable (ProgressWatch) async throws -> T
    ) async throws -> T {
        let watch = ProgressWatch()
        return try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await body(watch) }
            group.addTask {
                try await watch.untilStalled(for: timeout)
                throw failure
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    /// Returns when no step was made for `timeout`, at the latest a quarter of it later.
    private func untilStalled(for timeout: Duration) async throws {
        var seen = -1
        var quiet = 0
        while quiet < 4 {
            let now = state.withLock { $0.isConsuming ? -1 : $0.steps }
            quiet = now == seen && now >= 0 ? quiet + 1 : 0
            seen = now
            if quiet < 4 { try await Task.sleep(for: timeout / 4) }
        }
    }
}
