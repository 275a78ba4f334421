import Synchronization

/// Holds whoever waits, cancelled or not, until it is opened.
final class Gate: Sendable {
    /// Nil once it is open.
    private let waiters = Mutex<[CheckedContinuation<Void, Never>]?>([])

    func wait() async {
        await withCheckedContinuation { waiter in
            let isOpen = waiters.withLock { waiters in
                waiters?.append(waiter)
                return waiters == nil
            }
            if isOpen { waiter.resume() }
        }
    }

    func open() {
        let ready = waiters.withLock { waiters in
            defer { waiters = nil }
            return waiters ?? []
        }
        for waiter in ready { waiter.resume() }
    }
}
