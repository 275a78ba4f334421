import Synchronization

/// Counts named events and lets tests wait for them.
final class Probe: Sendable {
    private struct Waiter {
        let name: String
        let count: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var counts: [String: Int] = [:]
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    func signal(_ name: String) {
        let ready = state.withLock { state -> [Waiter] in
            state.counts[name, default: 0] += 1
            let count = state.counts[name, default: 0]
            let ready = state.waiters.filter { $0.name == name && $0.count <= count }
            state.waiters.removeAll { $0.name == name && $0.count <= count }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    func count(_ name: String) -> Int {
        state.withLock { $0.counts[name, default: 0] }
    }

    /// Returns when the event has happened `count` times.
    func wait(for name: String, count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.counts[name, default: 0] >= count { return true }
                state.waiters.append(Waiter(name: name, count: count, continuation: continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }
}
