import NIOCore
import Synchronization

/// What a remote process wrote, on its way from the event loop to the one task that takes it.
///
/// It has no bound of its own: the wire that fills it stops to read at `bytesMax` and goes on when it is told of what was taken.
final class Inbox: Sendable {
    /// How much may wait before the connection is not read any more.
    static let bytesMax = 1 << 20

    struct Item: Sendable {
        var isError: Bool
        var bytes: ByteBuffer

        /// What it counts for: tiny pieces take more memory than their bytes.
        var cost: Int { bytes.readableBytes + 64 }
    }

    private struct State {
        var items = CircularBuffer<Item>()
        var waiter: CheckedContinuation<Item?, Never>?
        var end: Result<RemoteOutcome, StreamError>?
        var isAbandoned = false
    }

    private let state = Mutex(State())

    func push(_ item: Item) {
        let waiter = state.withLock { state -> CheckedContinuation<Item?, Never>? in
            guard state.end == nil, !state.isAbandoned else { return nil }
            if let waiter = state.waiter.take() { return waiter }
            state.items.append(item)
            return nil
        }
        waiter?.resume(returning: item)
    }

    /// Nothing more comes; the first end counts.
    func finish(_ end: Result<RemoteOutcome, StreamError>) {
        let waiter = state.withLock { state -> CheckedContinuation<Item?, Never>? in
            guard state.end == nil else { return nil }
            state.end = end
            return state.waiter.take()
        }
        waiter?.resume(returning: nil)
    }

    /// The next item; nil at the end, and in a cancelled task.
    func next() async -> Item? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state -> Item?? in
                    if let item = state.items.popFirst() { return item }
                    if state.end != nil || state.isAbandoned { return .some(nil) }
                    state.waiter = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Item?, Never>? in
                state.isAbandoned = true
                state.items.removeAll()
                return state.waiter.take()
            }
            waiter?.resume(returning: nil)
        }
    }

    /// How it ended, once it has.
    var end: Result<RemoteOutcome, StreamError>? { state.withLock { $0.end } }
}
