import NIOCore
import Synchronization

/// Lets other threads cancel a call that lives on the client's event loop.
final class ClientCallHandle: Sendable {
    private enum State {
        case starting
        case live(any Channel)
        case cancelled
    }

    private let state = Mutex(State.starting)

    var isCancelled: Bool {
        state.withLock { if case .cancelled = $0 { true } else { false } }
    }

    /// Connects the handle to its stream; a call cancelled before that is closed at once.
    func attach(_ channel: any Channel) {
        let isCancelled = state.withLock { state in
            if case .cancelled = state { return true }
            state = .live(channel)
            return false
        }
        if isCancelled { channel.close(promise: nil) }
    }

    /// Resets the stream; the call then ends with CANCELLED. Does nothing to a call that has ended.
    func cancel() {
        let channel: (any Channel)? = state.withLock { state in
            defer { state = .cancelled }
            if case .live(let channel) = state { return channel }
            return nil
        }
        channel?.close(promise: nil)
    }

    /// Asks the stream for more data.
    func read() {
        state.withLock { state -> (any Channel)? in
            if case .live(let channel) = state { return channel }
            return nil
        }?.read()
    }
}
