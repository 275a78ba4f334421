package import Linux
import Synchronization

/// Something that a reactor watches; its methods run on the reactor's thread and must not wait.
package protocol Watched: AnyObject, Sendable {
    /// Lends the descriptor that is watched; it stays open while the object lives.
    func withWatched(_ body: (borrowing OwnedFD) throws(Errno) -> Void) throws(Errno)
    /// The descriptor is ready. False: do not watch it any more.
    func ready(_ events: Epoll.Events) -> Bool
    /// It is no longer watched, for the reactor ended or the kernel refused.
    func dropped(_ reason: Errno)
}

/// One thread that waits for the descriptors of all supervisors, since swift-nio passes no descriptors (unix(7), SCM_RIGHTS).
///
/// Requests are sent from the callers' threads; answers, exits, output of execs and deadlines come through here, and
/// continuations are resumed right from this thread.
package final class Reactor: Sendable {
    package typealias Token = UInt64
    package typealias DeadlineID = UInt64

    private let core: ReactorCore
    private let loop: Task<Void, any Error>

    private init(core: ReactorCore, loop: Task<Void, any Error>) {
        self.core = core
        self.loop = loop
    }

    /// Starts the thread.
    package static func start() async throws -> Reactor {
        let core = try ReactorCore()
        let pool = BlockingPool(name: "supervisors", threadsMax: 1)
        let (started, starting) = AsyncThrowingStream<Void, any Error>.makeStream()
        // Owned by the reactor: `shutdown` awaits it, and `deinit` makes it end.
        let loop = Task {
            do { try await pool.run { try core.run { starting.finish() } } } catch {
                starting.finish(throwing: error)
                throw error
            }
        }
        for try await _ in started {}
        return Reactor(core: core, loop: loop)
    }

    deinit { core.stop() }

    /// Ends the thread and waits for it; what is still watched is dropped with ECANCELED.
    package func shutdown() async {
        core.stop()
        // Its only error is told by `start`.
        _ = await loop.result
    }

    /// Watches from the next turn on; failures come as `dropped`.
    package func add(_ watched: any Watched, _ events: Epoll.Events) -> Token { core.add(watched, events) }

    package func modify(_ token: Token, _ events: Epoll.Events) { core.submit(.modify(token, events)) }

    /// Lets go of what is watched; unknown tokens are fine.
    package func remove(_ token: Token) { core.submit(.remove(token)) }

    /// Runs an action on the reactor's thread after a time, unless it is cancelled.
    package func schedule(after time: Duration, _ action: @escaping @Sendable () -> Void) -> DeadlineID {
        core.schedule(at: .now + time, action)
    }

    package func cancel(_ deadline: DeadlineID) { core.cancel(deadline) }

    /// Runs tasks on the reactor's thread, where what they wait for comes from: each change of threads costs a wake-up. Such a
    /// task must not wait in any other way.
    package var executor: any TaskExecutor { core }
}

/// What the reactor's thread and its users share.
final class ReactorCore: TaskExecutor {
    enum Command: Sendable {
        case add(Reactor.Token, any Watched, Epoll.Events)
        case modify(Reactor.Token, Epoll.Events)
        case remove(Reactor.Token)
    }

    private struct State {
        var commands: [Command] = []
        var jobs: [TaskJob] = []
        var deadlines = DeadlineQueue<@Sendable () -> Void>()
        var nextToken: Reactor.Token = 1
        /// The thread waits, and nobody has woken it yet.
        var needsWaking = false
        var isStopping = false

        /// Whether the thread has to be woken; true once for each time that it waits.
        mutating func takeWaking() -> Bool {
            let wakes = needsWaking
            needsWaking = false
            return wakes
        }
    }

    private let state = Mutex(State())
    private let counter: EventCounter

    init() throws(Errno) { counter = try EventCounter() }

    func add(_ watched: any Watched, _ events: Epoll.Events) -> Reactor.Token {
        let (token, accepted, wakes) = state.withLock { state in
            let token = state.nextToken
            state.nextToken += 1
            if state.isStopping { return (token, false, false) }
            state.commands.append(.add(token, watched, events))
            return (token, true, state.takeWaking())
        }
        if wakes { wake() }
        if !accepted { watched.dropped(.canceled) }
        return token
    }

    func submit(_ command: Command) {
        let wakes = state.withLock { state in
            if state.isStopping { return false }
            state.commands.append(command)
            return state.takeWaking()
        }
        if wakes { wake() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = TaskJob(job)
        let (accepted, wakes) = state.withLock { state in
            if state.isStopping { return (false, false) }
            state.jobs.append(job)
            return (true, state.takeWaking())
        }
        if wakes { wake() }
        if !accepted { job.runElsewhere() }
    }

    func schedule(at due: ContinuousClock.Instant, _ action: @escaping @Sendable () -> Void) -> Reactor.DeadlineID {
        let (id, wakes) = state.withLock { state in
            let (id, isEarliest) = state.deadlines.add(due: due, action)
            return (id, isEarliest && state.takeWaking())
        }
        if wakes { wake() }
        return id
    }

    func cancel(_ deadline: Reactor.DeadlineID) { state.withLock { $0.deadlines.cancel(deadline) } }

    func stop() {
        state.withLock { $0.isStopping = true }
        wake()
    }

    private func wake() {
        // The counter cannot be closed while this object lives, and a full one wakes as well.
        do throws(Errno) { try counter.signal() } catch { return }
    }
}

// MARK: The thread

extension ReactorCore {
    private static let counterToken: Reactor.Token = 0
    /// Turns with work before the descriptors are looked at.
    private static let turnsMax = 8

    /// The loop. Throws before `started` where the kernel has no epoll for us, and never afterwards.
    func run(started: () -> Void) throws {
        var epoll = try Epoll()
        // Never read: it takes 2^64 signals to fill it.
        try epoll.add(counter.fd, [.readable, .edge], token: Self.counterToken)
        var watched: [Reactor.Token: any Watched] = [:]
        started()
        var busyTurns = 0
        while let next = nextTurn() {
            for command in next.commands { apply(command, &epoll, &watched) }
            for job in next.jobs { job.run(on: self) }
            for action in next.due { action() }
            // What was done here has mostly made more to do here, and then the thread waits: a look at the descriptors after each
            // turn would be a system call for nothing. After some turns others have theirs.
            busyTurns = next.isIdle ? 0 : busyTurns + 1
            if busyTurns % Self.turnsMax != 0 { continue }
            let ready: [Epoll.Ready]
            do throws(Errno) {
                ready = try epoll.wait(milliseconds: next.isIdle ? next.wait : 0)
            } catch {
                stop()
                break
            }
            state.withLock { $0.needsWaking = false }
            for event in ready { dispatch(event, &epoll, &watched) }
        }
        let (late, jobs) = state.withLock { state in
            defer { (state.commands, state.jobs) = ([], []) }
            return (state.commands, state.jobs)
        }
        for job in jobs { job.runElsewhere() }
        for command in late {
            if case .add(_, let object, _) = command { object.dropped(.canceled) }
        }
        for object in watched.values { object.dropped(.canceled) }
    }

    /// What is to be done before the thread waits again.
    private struct Turn {
        var commands: [Command]
        var jobs: [TaskJob]
        var due: [@Sendable () -> Void]
        /// Milliseconds until the next deadline.
        var wait: Int32?

        var isIdle: Bool { commands.isEmpty && jobs.isEmpty && due.isEmpty }
    }

    /// Nil: the loop ends. The thread may be woken from the moment that nothing is left to do.
    private func nextTurn() -> Turn? {
        state.withLock { state in
            if state.isStopping { return nil }
            let now = ContinuousClock.now
            let due = state.deadlines.takeDue(at: now)
            let turn = Turn(
                commands: state.commands, jobs: state.jobs, due: due,
                wait: state.deadlines.earliest.map { Self.milliseconds($0 - now) })
            (state.commands, state.jobs) = ([], [])
            state.needsWaking = turn.isIdle
            return turn
        }
    }

    private func apply(_ command: Command, _ epoll: inout Epoll, _ watched: inout [Reactor.Token: any Watched]) {
        switch command {
        case .add(let token, let object, let events):
            do throws(Errno) {
                try object.withWatched { fd throws(Errno) in try epoll.add(fd, events, token: token) }
                watched[token] = object
            } catch { object.dropped(error) }
        case .modify(let token, let events):
            guard let object = watched[token] else { return }
            do throws(Errno) {
                try object.withWatched { fd throws(Errno) in try epoll.modify(fd, events, token: token) }
            } catch {
                watched[token] = nil
                object.dropped(error)
            }
        case .remove(let token): remove(token, &epoll, &watched)
        }
    }

    private func dispatch(_ event: Epoll.Ready, _ epoll: inout Epoll, _ watched: inout [Reactor.Token: any Watched]) {
        if let object = watched[event.token], !object.ready(event.events) { remove(event.token, &epoll, &watched) }
    }

    private func remove(_ token: Reactor.Token, _ epoll: inout Epoll, _ watched: inout [Reactor.Token: any Watched]) {
        guard let object = watched.removeValue(forKey: token) else { return }
        do throws(Errno) { try object.withWatched { fd throws(Errno) in try epoll.remove(fd) } } catch { return }
    }

    /// Rounded up, so that a deadline has passed when the wait ends.
    private static func milliseconds(_ duration: Duration) -> Int32 {
        let (seconds, attoseconds) = duration.components
        if seconds < 0 || attoseconds < 0 { return 0 }
        return Int32(min(seconds, 86_400) * 1_000 + attoseconds / 1_000_000_000_000_000 + 1)
    }
}
