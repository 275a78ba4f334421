import Model
import Synchronization

/// A piece of work that goes on whatever becomes of those who wait for it: an RPC that is cancelled stops waiting, and a
/// retry of it waits for the same work or gets its kept result (architecture, section 4, rule 6).
package final class SharedOperation<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, any Error>?
        var waiters: [UInt64: CheckedContinuation<Value, any Error>] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Starts `body` in a task of its own, which nobody cancels.
    package static func start(
        on executor: (any TaskExecutor)? = nil, _ body: @escaping @Sendable () async throws -> Value
    ) -> SharedOperation<Value> {
        let operation = SharedOperation<Value>()
        Task(executorPreference: executor) {
            do {
                operation.finish(.success(try await body()))
            } catch {
                operation.finish(.failure(error))
            }
        }
        return operation
    }

    /// True once a result is there.
    package var isFinished: Bool { state.withLock { $0.result != nil } }

    /// The result so far.
    package var result: Result<Value, any Error>? { state.withLock { $0.result } }

    /// Waits for the result. Cancelling the waiting task ends the wait with `Fault.cancelled` and leaves the work alone.
    package func value() async throws -> Value {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let now: Result<Value, any Error>? = state.withLock { state in
                    if let result = state.result { return result }
                    if Task.isCancelled { return .failure(Self.cancelled) }
                    state.waiters[id] = continuation
                    return nil
                }
                if let now { continuation.resume(with: now) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume(throwing: Self.cancelled)
        }
    }

    /// Sets the result; the first call counts.
    package func finish(_ result: Result<Value, any Error>) {
        let waiters = state.withLock { state in
            guard state.result == nil else { return [CheckedContinuation<Value, any Error>]() }
            state.result = result
            let waiters = Array(state.waiters.values)
            state.waiters = [:]
            return waiters
        }
        for waiter in waiters { waiter.resume(with: result) }
    }

    private static var cancelled: Fault { Fault(.cancelled, "the caller no longer waits") }
}

/// Waits for `operation`, at most `limit`; false when the time is over.
package func wait<Value>(for operation: SharedOperation<Value>, atMost limit: Duration) async throws -> Bool {
    if operation.isFinished { return true }
    return try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask {
            // The value does not matter here, nor whether it is an error: only that the work has ended.
            do { _ = try await operation.value() } catch let fault as Fault where fault.code == .cancelled {
                throw fault
            } catch {
                return true
            }
            return true
        }
        group.addTask {
            try await Task.sleep(for: limit)
            return false
        }
        defer { group.cancelAll() }
        return try await group.next() ?? false
    }
}
