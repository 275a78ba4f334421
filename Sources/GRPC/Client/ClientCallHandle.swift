import NIOCore
import Synchronization

/// Lets other threads cancel a call that lives on the client's event loop.
final class ClientCallHandle: Sendable {
    private enum State {
        case starting
        case live(any Channel)
        case cancelled
        case ended
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

    /// The stream has ended: its event loop, too, may soon be gone.
    func detach() {
        state.withLock { state in
            if case .live = state { state = .ended }
        }
    }

    /// Resets the stream; the call then ends with CANCELLED. Does nothing to a call that has ended.
    func cancel() {
        use(leaving: .cancelled) { channel in channel.close(promise: nil) }
    }

    /// Asks the stream for more data.
    func read() {
        use(leaving: nil) { channel in channel.read() }
    }

    /// Hands work to the stream's event loop. Under the lock, so that `detach`, and with it the end of the loop, comes later;
    /// on the loop itself, where the work is done at once and may come back here, without it.
    private func use(leaving next: State?, _ work: (any Channel) -> Void) {
        let here = state.withLock { state -> (any Channel)? in
            guard case .live(let channel) = state else {
                if case .starting = state, let next { state = next }
                return nil
            }
            if let next { state = next }
            if channel.eventLoop.inEventLoop { return channel }
            work(channel)
            return nil
        }
        if let here { work(here) }
    }
}
