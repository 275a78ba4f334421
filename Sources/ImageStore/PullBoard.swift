import Linux
package import Model
import Synchronization

/// What pulls are under way and how far they have come, for whoever wants to watch.
///
/// Nothing is told while bytes arrive: the counters are read by watchers, as often as they like. A watcher is woken when
/// a pull begins or ends.
package final class PullBoard: Sendable {
    /// Pulls that are shown at a time; further ones run unseen.
    package static let pullsMax = 64
    /// Watchers at a time.
    package static let watchersMax = 64

    private struct State {
        var hasEnded = false
        var serial: UInt64 = 0
        var lastStart: Int64 = 0
        var tickets: [UInt64: PullTicket] = [:]
        var watchers: [UInt64: PullWatcher] = [:]
        var pulls = SharedValues<ImageStore.PullKey, PullMeter>()
        var layers = SharedValues<ImagePull.LayerKey, LayerMeter>()
    }
    private let state = Mutex(State())
    let received = ByteCount()

    package init() {}

    /// Bytes of layers that came in since the start.
    package var layerBytes: Int64 { received.value }

    // MARK: Pulls

    /// A caller's pull begins; it ends with `end`. Nil where too many are shown already.
    package func begin(_ reference: ImageReference) -> PullTicket? {
        let (ticket, watchers): (PullTicket?, [PullWatcher]) = state.withLock { state in
            guard state.tickets.count < Self.pullsMax else { return (nil, []) }
            state.serial += 1
            state.lastStart = max(Clock.realtimeNanoseconds, state.lastStart + 1)
            let ticket = PullTicket(number: state.serial, reference: reference.canonical, startedAt: state.lastStart)
            state.tickets[ticket.number] = ticket
            return (ticket, Array(state.watchers.values))
        }
        for watcher in watchers { watcher.wake() }
        return ticket
    }

    /// A caller's pull has ended; `error` says why if it failed.
    package func end(_ ticket: PullTicket?, error: String? = nil) {
        guard let ticket else { return }
        ticket.end(error)
        let watchers = state.withLock { state in
            state.tickets[ticket.number] = nil
            return Array(state.watchers.values)
        }
        let last = ticket.progress
        for watcher in watchers { watcher.ended(last) }
    }

    func take(_ key: ImageStore.PullKey) -> PullMeter { state.withLock { $0.pulls.take(key) { PullMeter() } } }
    func giveBack(_ key: ImageStore.PullKey) { state.withLock { $0.pulls.giveBack(key) } }

    /// The meter of a layer that is under way already, or the one given.
    func share(_ meter: LayerMeter, for key: ImagePull.LayerKey) -> LayerMeter {
        state.withLock { $0.layers.take(key) { meter } }
    }
    func giveBack(_ keys: [ImagePull.LayerKey]) { state.withLock { for key in keys { $0.layers.giveBack(key) } } }

    /// Whether nothing is kept of pulls that are over.
    var isEmpty: Bool { state.withLock { $0.tickets.isEmpty && $0.pulls.isEmpty && $0.layers.isEmpty } }

    // MARK: Watching

    /// Begins to watch one image, or all; ends with `leave`.
    package func watch(_ reference: ImageReference?) throws(Fault) -> PullWatcher {
        try state.withLock { state throws(Fault) in
            guard !state.hasEnded else { throw Fault(.unavailable, "watch pulls: the daemon ends") }
            guard state.watchers.count < Self.watchersMax else {
                throw Fault(.resourceExhausted, "watch pulls: \(Self.watchersMax) clients watch already")
            }
            state.serial += 1
            let watcher = PullWatcher(number: state.serial, reference: reference?.canonical)
            state.watchers[watcher.number] = watcher
            return watcher
        }
    }

    package func leave(_ watcher: PullWatcher) { state.withLock { $0.watchers[watcher.number] = nil } }

    /// The pulls that `watcher` has to show: those that run, and before them those that ended since it asked last.
    package func progress(for watcher: PullWatcher) -> [PullProgress] {
        // What has ended is taken first: a pull that ends in between is shown with the next answer, and never twice.
        let ended = watcher.takeEnded()
        let tickets = state.withLock { Array($0.tickets.values) }
        let running = tickets.map(\.progress).filter { !$0.hasEnded && watcher.wants($0) }
        return ended + running.sorted { $0.startedAt < $1.startedAt }
    }

    /// Ends all watching, for the daemon's end.
    package func close() {
        let watchers = state.withLock { state in
            state.hasEnded = true
            defer { state.watchers = [:] }
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.finish() }
    }
}

/// One caller's pull on the board.
package final class PullTicket: Sendable {
    private struct State {
        var phase = PullProgress.Phase.resolving
        var meter: PullMeter?
    }

    /// Bytes of an error that are kept.
    private static let errorBytesMax = 4096

    let number: UInt64
    private let reference: String
    private let startedAt: Int64
    private let state = Mutex(State())

    init(number: UInt64, reference: String, startedAt: Int64) {
        self.number = number
        self.reference = reference
        self.startedAt = startedAt
    }

    /// The reference is resolved; `meter` counts the layers.
    func follow(_ meter: PullMeter) {
        state.withLock { state in
            state.meter = meter
            state.phase = .fetching
        }
    }

    fileprivate func end(_ error: String?) {
        let phase = error.map {
            PullProgress.Phase.failed(String(decoding: $0.utf8.prefix(Self.errorBytesMax), as: UTF8.self))
        }
        state.withLock { $0.phase = phase ?? .done }
    }

    var progress: PullProgress {
        let (phase, meter) = state.withLock { ($0.phase, $0.meter) }
        return PullProgress(
            reference: reference, startedAt: startedAt, phase: phase, layers: meter?.layers.map(\.progress) ?? [])
    }
}
