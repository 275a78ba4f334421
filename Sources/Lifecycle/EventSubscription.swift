package import Model
import Synchronization

/// Events on their way to one client: a bounded queue with one reader.
package final class EventSubscription: Sendable {
    /// Events that may wait for a client that does not take them.
    package static let waitingMax = 1024

    private struct State {
        var waiting: [LifecycleEvent]
        var end: Fault?
        var reader: CheckedContinuation<Void, Never>?
    }

    let number: UInt64
    private let state: Mutex<State>

    /// `first` does not count: there is an end to it.
    init(number: UInt64, first: [LifecycleEvent]) {
        self.number = number
        state = Mutex(State(waiting: first))
        room = Self.waitingMax + first.count
    }

    private let room: Int

    /// The next events, in their order; waits for one. Throws when the subscription has ended.
    package func next() async throws(Fault) -> [LifecycleEvent] {
        while true {
            let found = try state.withLock { state throws(Fault) -> [LifecycleEvent] in
                if let end = state.end { throw end }
                defer { state.waiting = [] }
                return state.waiting
            }
            if !found.isEmpty { return found }
            if Task.isCancelled { throw Fault(.cancelled, "get container events: the client has left") }
            await wait()
        }
    }

    /// Returns when there is something to look at.
    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { reader in
                let isReady = state.withLock { state in
                    if !state.waiting.isEmpty || state.end != nil || Task.isCancelled { return true }
                    state.reader = reader
                    return false
                }
                if isReady { reader.resume() }
            }
        } onCancel: {
            wake()
        }
    }

    private func wake() {
        let reader = state.withLock { state in
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    /// How many events are lost to the client: 0 unless it is too far behind. Then it has ended, and nothing more of it is kept.
    func push(_ event: LifecycleEvent) -> Int {
        let lost = state.withLock { state in
            guard state.end == nil else { return 1 }
            guard state.waiting.count < room else {
                let lost = state.waiting.count + 1
                state.waiting = []
                state.end = Fault(
                    .resourceExhausted,
                    "get container events: the client is \(room) events behind; list all objects and ask again")
                return lost
            }
            state.waiting.append(event)
            return 0
        }
        wake()
        return lost
    }

    func finish(_ fault: Fault) {
        state.withLock { state in
            state.waiting = []
            state.end = state.end ?? fault
        }
        wake()
    }
}
