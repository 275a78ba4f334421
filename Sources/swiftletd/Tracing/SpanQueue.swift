import Lifecycle
import Synchronization

/// Operations on their way to a collector: bounded, so that a collector that takes nothing costs spans and nothing else.
final class SpanQueue: Sendable {
    /// Operations that wait; one takes some kilobytes.
    static let waitingMax = 1024

    /// Why spans are lost.
    enum Loss: String, CaseIterable {
        /// The queue is full: the collector is too slow or away.
        case queueFull = "queue_full"
        /// The collector does not take them.
        case refused
        /// The daemon ended before.
        case end
    }

    struct Counts: Equatable {
        var exported: UInt64 = 0
        var lost: [Loss: UInt64] = [:]
        var allLost: UInt64 { lost.values.reduce(0, +) }
    }

    private struct State {
        var waiting: [OperationRecord] = []
        var counts = Counts()
        var hasEnded = false
    }

    private let state = Mutex(State())
    private let arrivals: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation

    init() { (arrivals, arrival) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    /// What fits; the rest is counted as lost.
    func add(_ record: OperationRecord) {
        state.withLock { state in
            let room = state.hasEnded ? 0 : Self.waitingMax
            guard state.waiting.count < room else {
                state.counts.lose(SpanBuilder.count(record), state.hasEnded ? .end : .queueFull)
                return
            }
            state.waiting.append(record)
        }
        arrival.yield()
    }

    /// The first of those that wait, no longer waiting.
    func take(_ max: Int) -> [OperationRecord] {
        state.withLock { state in
            let taken = Array(state.waiting.prefix(max))
            state.waiting.removeFirst(taken.count)
            return taken
        }
    }

    /// Returns when something has come since the last time, or nothing will; false for the latter.
    func awaitArrival() async -> Bool {
        for await _ in arrivals { return true }
        return false
    }

    func exported(_ spans: Int) { state.withLock { $0.counts.exported += UInt64(spans) } }
    func lost(_ spans: Int, _ loss: Loss) {
        if spans > 0 { state.withLock { $0.counts.lose(spans, loss) } }
    }

    /// Nothing is taken up any more.
    func end() {
        state.withLock { $0.hasEnded = true }
        arrival.finish()
    }

    var hasEnded: Bool { state.withLock { $0.hasEnded } }
    var counts: Counts { state.withLock { $0.counts } }
}

extension SpanQueue.Counts {
    fileprivate mutating func lose(_ spans: Int, _ loss: SpanQueue.Loss) { lost[loss, default: 0] += UInt64(spans) }
}
