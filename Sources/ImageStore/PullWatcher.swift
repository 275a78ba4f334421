import Synchronization

/// One watcher of a `PullBoard`: what ended since it looked last, and a way to be woken.
package final class PullWatcher: Sendable {
    /// Ended pulls that wait for a watcher that does not look; the oldest are dropped.
    static let endedMax = 64

    let number: UInt64
    private let reference: String?
    private let ended = Mutex<[PullProgress]>([])
    private let hasFinished = Atomic<Bool>(false)
    private let wakeUp: AsyncStream<Void>.Continuation

    /// An element when a pull began or ended; any number of them while nobody looked are one. Ends with the board.
    package let wakeUps: AsyncStream<Void>

    init(number: UInt64, reference: String?) {
        self.number = number
        self.reference = reference
        (wakeUps, wakeUp) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func wants(_ progress: PullProgress) -> Bool { reference == nil || reference == progress.reference }

    func wake() { wakeUp.yield() }

    /// The board ends.
    func finish() {
        hasFinished.store(true, ordering: .relaxed)
        wakeUp.finish()
    }

    /// Whether the board has ended, for a watcher that looks at running pulls and waits for nobody.
    package var isOver: Bool { hasFinished.load(ordering: .relaxed) }

    func ended(_ progress: PullProgress) {
        guard wants(progress) else { return }
        ended.withLock { ended in
            if ended.count == Self.endedMax { ended.removeFirst() }
            ended.append(progress)
        }
        wake()
    }

    func takeEnded() -> [PullProgress] {
        ended.withLock { ended in
            defer { ended = [] }
            return ended
        }
    }
}
