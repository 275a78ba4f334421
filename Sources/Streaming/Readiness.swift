import Linux
import NIOCore
import Synchronization

/// Tells an event loop which descriptors of processes are ready: one thread that waits, while reading and writing happen on
/// the loop.
///
/// NIO's own pipe channels do not serve here. They take a hang-up for the end and trap when a read then finds neither bytes nor
/// an end; a process in a container makes just that by opening its terminal, or the pipe behind /proc/self/fd, again.
final class Readiness: Sendable {
    /// The token of the counter that ends the thread.
    private static let endToken: UInt64 = 0

    private let epoll: Epoll
    private let end: EventCounter
    private let loop: any EventLoop
    private let watchers: NIOLoopBound<Watchers>
    private let thread = Mutex<Task<Void, any Error>?>(nil)

    /// The descriptors that are watched; on the loop.
    final class Watchers {
        var nextToken: UInt64 = 1
        var all: [UInt64: any ReadinessWatcher] = [:]
    }

    /// On the loop.
    init(_ loop: any EventLoop) throws(Errno) {
        self.loop = loop
        epoll = try Epoll()
        end = try EventCounter()
        watchers = NIOLoopBound(Watchers(), eventLoop: loop)
        try epoll.add(end.fd, .readable, token: Self.endToken)
    }

    /// Returns when the thread waits.
    func start() async throws {
        let pool = BlockingPool(name: "streams", threadsMax: 1)
        let (started, starting) = AsyncThrowingStream<Void, any Error>.makeStream()
        // Owned by this object: `stop` awaits it.
        let task = Task {
            do {
                try await pool.run {
                    starting.finish()
                    try self.wait()
                }
            } catch {
                starting.finish(throwing: error)
                throw error
            }
        }
        thread.withLock { $0 = task }
        for try await _ in started {}
    }

    /// Ends the thread and waits for it.
    func stop() async throws {
        try end.signal()
        try await thread.withLock { $0.take() }?.value
    }

    private func wait() throws {
        while true {
            let ready = try epoll.waitBesideOthers()
            if ready.contains(where: { $0.token == Self.endToken }) { return }
            loop.execute { [watchers] in
                for event in ready { watchers.value.all[event.token]?.isReady() }
            }
        }
    }

    // MARK: On the loop

    /// The number of descriptors that are watched.
    var count: Int { watchers.value.all.count }

    func makeToken(_ watcher: any ReadinessWatcher) -> UInt64 {
        let token = watchers.value.nextToken
        watchers.value.nextToken += 1
        watchers.value.all[token] = watcher
        return token
    }

    /// Calls the watcher once when the descriptor is ready; errors and hang-ups count as ready.
    func arm(_ fd: borrowing OwnedFD, _ events: Epoll.Events, token: UInt64, isFirst: Bool) throws(Errno) {
        let events = events.union(.oneShot)
        if isFirst {
            try epoll.add(fd, events, token: token)
        } else {
            try epoll.modify(fd, events, token: token)
        }
    }

    /// Before the descriptor is closed; `wasArmed` says whether the kernel knows of it.
    func forget(_ fd: borrowing OwnedFD, token: UInt64, wasArmed: Bool) {
        watchers.value.all[token] = nil
        guard wasArmed else { return }
        // Fails only for a descriptor that is not in the set, where nothing is to be done.
        do throws(Errno) { try epoll.remove(fd) } catch { return }
    }
}

/// What a descriptor's readiness is told to, on the loop.
protocol ReadinessWatcher: AnyObject {
    func isReady()
}
