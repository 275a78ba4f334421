// The launcher has one thread and no tasks: this file is not part of its Embedded build.
#if !hasFeature(Embedded)
    import CLinux
    import Synchronization

    /// Why a `BlockingPool` did not take a piece of work.
    package enum BlockingPoolError: Error, Equatable, CustomStringConvertible {
        /// The bound on waiting work is reached.
        case tooMuchWaiting(pool: String, bound: Int)
        /// Not one thread could be started; the number is pthread_create's.
        case noThread(pool: String, errno: Int32)

        package var description: String {
            switch self {
            case .tooMuchWaiting(let pool, let bound): "queue work for \"\(pool)\": \(bound) pieces are waiting already"
            case .noThread(let pool, let errno): "start a thread for \"\(pool)\": errno \(errno)"
            }
        }
    }

    /// A bounded set of threads for calls that may block, so that they never hold a thread of Swift's cooperative pool.
    ///
    /// Threads start on demand and end after ten idle seconds, or with the pool. Cancelling the waiting task does not
    /// cancel the work: its result is awaited, so that nothing borrowed outlives it.
    ///
    /// A task that prefers the pool as its executor runs on these threads as a whole, and what it gives to `run` runs at once
    /// where it is: each change of threads costs a wake-up, which is more than most calls take.
    package final class BlockingPool: Sendable {
        private let core: Core

        /// - Parameters:
        ///   - name: shown by ps and in errors; the kernel keeps 15 bytes of it.
        ///   - waitingMax: pieces of work that may wait for a thread before `run` refuses.
        package init(name: String, threadsMax: Int, waitingMax: Int = 4096) {
            precondition(threadsMax > 0 && waitingMax > 0)
            core = Core(name: name, threadsMax: threadsMax, waitingMax: waitingMax)
        }

        deinit { core.close() }

        /// Runs `body` on a thread of the pool and waits for its result without blocking the caller's thread.
        package func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
            if core.ownsThisThread { return try core.block(body) }
            return try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
                core.submit { refusal in
                    if let refusal { return continuation.resume(throwing: refusal) }
                    continuation.resume(with: Result { try body() })
                }
            }
        }

        /// Threads alive now, for tests and metrics.
        package var threadCount: Int { core.threadCount }
    }

    extension BlockingPool: TaskExecutor {
        package func enqueue(_ job: consuming ExecutorJob) {
            let job = TaskJob(job)
            core.submit(isJob: true) { refusal in
                // No thread can be had.
                if refusal != nil { return job.runElsewhere() }
                // The closure keeps the pool for as long as the job runs.
                job.run(on: self)
            }
        }
    }

    extension BlockingPool {
        /// Called once: with nil on a thread of the pool, or with the reason why it will never run.
        private typealias Piece = @Sendable (BlockingPoolError?) -> Void

        /// What the threads share; it lives until the last of them has ended.
        private final class Core: Sendable {
            private struct State {
                /// Waiting work; `head` is the first piece not taken yet.
                var work: [Piece?] = []
                var head = 0
                var threads = 0
                var idle = 0
                var isClosed = false

                var waiting: Int { work.count - head }

                mutating func next() -> Piece? {
                    guard head < work.count else { return nil }
                    let piece = work[head].take()
                    head += 1
                    if head == work.count || head >= 512 {
                        work.removeFirst(head)
                        head = 0
                    }
                    return piece
                }
            }

            private let name: String
            private let threadsMax: Int
            private let waitingMax: Int
            private let state = Mutex(State())
            private let semaphore = Semaphore()

            init(name: String, threadsMax: Int, waitingMax: Int) {
                self.name = name
                self.threadsMax = threadsMax
                self.waitingMax = waitingMax
            }

            var threadCount: Int { state.withLock { $0.threads } }

            /// Whether the caller runs on a thread of this pool.
            var ownsThisThread: Bool {
                // Compared only.
                unsafe cl_thread_owner() == UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque())
            }

            /// Runs what may block on a thread of the pool itself, with another one for the job that may wait for it.
            func block<T>(_ body: () throws -> T) throws -> T {
                setOwner(nil)
                defer { setOwner(self) }
                carryOut(state.withLock { nextStep(&$0) })
                return try body()
            }

            /// - Parameter isJob: of a task that exists already: never refused; and one that comes from a thread of the pool waits
            ///   for that thread, which is about to be free, since to wake another would take longer.
            func submit(isJob: Bool = false, _ piece: @escaping Piece) {
                let isLocal = isJob && ownsThisThread
                let next: Next? = state.withLock { state in
                    guard isJob || state.waiting < waitingMax else { return nil }
                    state.work.append(piece)
                    return isLocal && state.waiting == 1 ? .leave : nextStep(&state)
                }
                guard let next else { return piece(.tooMuchWaiting(pool: name, bound: waitingMax)) }
                carryOut(next)
            }

            private enum Next { case wake, start, leave }

            /// How the work that waits comes to a thread.
            private func nextStep(_ state: inout State) -> Next {
                if state.waiting == 0 { return .leave }
                if state.idle >= state.waiting { return .wake }
                guard state.threads < threadsMax else { return .leave }
                state.threads += 1
                return .start
            }

            private func carryOut(_ next: Next) {
                switch next {
                case .wake: semaphore.post()
                case .leave: break
                case .start:
                    let error = startThread()
                    if error != 0 { threadFailed(error) }
                }
            }

            func close() {
                let idle = state.withLock { state in
                    state.isClosed = true
                    return state.idle
                }
                for _ in 0..<idle { semaphore.post() }
            }

            /// Queued work stays so while another thread lives to take it; with none, all of it is refused.
            private func threadFailed(_ errno: Int32) {
                let refused: [Piece] = state.withLock { state in
                    state.threads -= 1
                    guard state.threads == 0 else { return [] }
                    let refused = state.work[state.head...].compactMap { $0 }
                    state.work.removeAll()
                    state.head = 0
                    return refused
                }
                for piece in refused { piece(.noThread(pool: name, errno: errno)) }
            }

            private func startThread() -> Int32 {
                let context = unsafe Unmanaged.passRetained(self)
                // The thread takes over the reference that was retained for it; 512 KiB hold any call chain of ours.
                let result = unsafe cl_thread_start(
                    name, 512 * 1024,
                    { pointer in
                        guard let pointer = unsafe pointer else { return }
                        unsafe Unmanaged<Core>.fromOpaque(pointer).takeRetainedValue().runThread()
                    }, context.toOpaque())
                if result != 0 { unsafe context.release() }
                return -result
            }

            private func runThread() {
                setOwner(self)
                var mayStay = true
                while mayStay {
                    while let piece = state.withLock({ $0.next() }) { piece(nil) }
                    mayStay = waitForWork()
                }
            }

            private func setOwner(_ core: Core?) {
                // A number to compare with; the pool lives as long as its threads.
                unsafe cl_thread_set_owner(core.map { unsafe Unmanaged.passUnretained($0).toOpaque() })
            }

            /// False when this thread is to end; it is no longer counted then.
            private func waitForWork() -> Bool {
                let shallWait = state.withLock { state in
                    guard state.waiting == 0, !state.isClosed else { return false }
                    state.idle += 1
                    return true
                }
                let wasPosted = shallWait && semaphore.wait(milliseconds: 10_000)
                return state.withLock { state in
                    if shallWait { state.idle -= 1 }
                    if state.waiting > 0 || (wasPosted && !state.isClosed) { return true }
                    state.threads -= 1
                    return false
                }
            }
        }
    }
#endif
