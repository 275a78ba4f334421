package import Model
import Synchronization

/// A change of a pod or a container that clients may wait for, with what both looked like right after it (CRI
/// ContainerEventResponse).
package struct LifecycleEvent: Sendable {
    package enum Kind: Sendable, Equatable { case created, started, stopped, deleted }

    package var kind: Kind
    /// Id of a container, or of a sandbox.
    package var subject: String
    /// Nanoseconds since 1970; later events have later times.
    package var at: Int64
    /// The pod; for its own deletion, as it was last.
    package var pod: PodSnapshot?
    /// Its containers; one that is deleted is not among them.
    package var containers: [ContainerSnapshot]
}

/// Hands events to those who wait for them. Without a subscriber an event costs a look at a flag.
package final class EventHub: Sendable {
    /// Clients that wait at once: a kubelet, and people who watch.
    package static let subscribersMax = 64
    /// How long those who come are told what ended while no daemon ran.
    static let backlogTime = Duration.seconds(300)

    private struct State {
        var subscriptions: [UInt64: EventSubscription] = [:]
        var next: UInt64 = 0
        var lastAt: Int64 = 0
        var isClosed = false
        var cutOff: UInt64 = 0
        var dropped: UInt64 = 0
        /// What ended while no daemon ran, no more than there are containers and pods.
        var backlog: [LifecycleEvent] = []
        var backlogEnd = ContinuousClock.now
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> Int64

    init(now: @escaping @Sendable () -> Int64) { self.now = now }

    /// Begins to collect events for a client; what ended unseen comes first. End it with `end`.
    package func subscribe() throws(Fault) -> EventSubscription {
        try state.withLock { state throws(Fault) in
            guard !state.isClosed else { throw Self.closed }
            guard state.subscriptions.count < Self.subscribersMax else {
                throw Fault(
                    .resourceExhausted, "get container events: \(Self.subscribersMax) clients wait for them already")
            }
            if ContinuousClock.now >= state.backlogEnd { state.backlog = [] }
            state.next += 1
            let subscription = EventSubscription(number: state.next, first: state.backlog)
            state.subscriptions[subscription.number] = subscription
            return subscription
        }
    }

    package func end(_ subscription: EventSubscription) {
        state.withLock { _ = $0.subscriptions.removeValue(forKey: subscription.number) }
    }

    /// Ends all waiting, for good: the daemon ends.
    package func close() {
        let ended = state.withLock { state in
            state.isClosed = true
            defer { state.subscriptions = [:] }
            return state.subscriptions.values
        }
        for subscription in ended { subscription.finish(Self.closed) }
    }

    /// Clients that wait now.
    package var subscribers: Int { state.withLock { $0.subscriptions.count } }

    /// Clients that were ended as they did not keep up, since the daemon started.
    package var cutOff: UInt64 { state.withLock { $0.cutOff } }

    /// Events that those were not given any more.
    package var dropped: UInt64 { state.withLock { $0.dropped } }

    /// Called with the inventory locked, so that the order of events is that of what they tell.
    func send(_ kind: LifecycleEvent.Kind, of subject: String, _ picture: () -> InventoryPicture) {
        state.withLock { state in
            guard !state.subscriptions.isEmpty else { return }
            let event = event(kind, of: subject, picture(), &state)
            for (number, subscription) in state.subscriptions {
                let lost = subscription.push(event)
                guard lost > 0 else { continue }
                state.subscriptions[number] = nil
                state.cutOff += 1
                state.dropped += UInt64(lost)
            }
        }
    }

    /// Keeps an event of the time without a daemon for those who come.
    func keep(_ kind: LifecycleEvent.Kind, of subject: String, _ picture: InventoryPicture) {
        state.withLock { state in
            state.backlog.append(event(kind, of: subject, picture, &state))
            state.backlogEnd = ContinuousClock.now + Self.backlogTime
        }
    }

    private func event(
        _ kind: LifecycleEvent.Kind, of subject: String, _ picture: InventoryPicture, _ state: inout State
    ) -> LifecycleEvent {
        state.lastAt = max(state.lastAt + 1, now())
        return LifecycleEvent(
            kind: kind, subject: subject, at: state.lastAt, pod: picture.pod, containers: picture.containers)
    }

    private static let closed = Fault(.unavailable, "get container events: the daemon ends")
}

/// A pod and its containers at one moment.
struct InventoryPicture: Sendable {
    var pod: PodSnapshot?
    var containers: [ContainerSnapshot]
}
