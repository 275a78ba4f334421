import Synchronization

/// Lets callers that want the same thing wait for one piece of work. A caller that is cancelled leaves at once; when
/// the last one has left, the work is cancelled, and whoever comes afterwards starts it anew.
final class SharedWork<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Value, any Error>

    private struct Entry {
        var id: UInt64
        var task: Task<Void, Never>?
        var waiters: [UInt64: Waiter] = [:]
    }
    private struct State {
        var entries: [Key: Entry] = [:]
        var serial: UInt64 = 0
    }
    private let state = Mutex(State())

    func run(_ key: Key, _ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let waiter = state.withLock { state in
            state.serial += 1
            return state.serial
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: Waiter) in
                // Cancelled before it began: the handler below found nothing to remove.
                if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
                join(key, waiter, continuation, body)
                if Task.isCancelled { leave(key, waiter) }
            }
        } onCancel: {
            leave(key, waiter)
        }
    }

    /// Callers that wait for `key` now.
    func waiterCount(_ key: Key) -> Int { state.withLock { $0.entries[key]?.waiters.count ?? 0 } }

    private func join(
        _ key: Key, _ waiter: UInt64, _ continuation: Waiter, _ body: @escaping @Sendable () async throws -> Value
    ) {
        state.withLock { state in
            if state.entries[key] != nil {
                state.entries[key]?.waiters[waiter] = continuation
                return
            }
            state.serial += 1
            let id = state.serial
            var entry = Entry(id: id, waiters: [waiter: continuation])
            // Owned by the entry: it ends by itself, or is cancelled by the last waiter to leave.
            entry.task = Task { [self] in
                let result: Result<Value, any Error>
                do { result = .success(try await body()) } catch { result = .failure(error) }
                finish(key, id, result)
            }
            state.entries[key] = entry
        }
    }

    private func finish(_ key: Key, _ id: UInt64, _ result: Result<Value, any Error>) {
        let waiters: [Waiter] = state.withLock { state in
            guard let entry = state.entries[key], entry.id == id else { return [] }
            state.entries[key] = nil
            return Array(entry.waiters.values)
        }
        for waiter in waiters { waiter.resume(with: result) }
    }

    private func leave(_ key: Key, _ waiter: UInt64) {
        let (continuation, abandoned): (Waiter?, Task<Void, Never>?) = state.withLock { state in
            guard let continuation = state.entries[key]?.waiters.removeValue(forKey: waiter) else { return (nil, nil) }
            guard let entry = state.entries[key], entry.waiters.isEmpty else { return (continuation, nil) }
            state.entries[key] = nil
            return (continuation, entry.task)
        }
        abandoned?.cancel()
        continuation?.resume(throwing: CancellationError())
    }
}
