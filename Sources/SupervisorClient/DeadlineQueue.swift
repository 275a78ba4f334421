/// Actions that are due at an instant, earliest first (a binary heap); a cancelled one leaves the heap when it is the first, or
/// when cancelled ones are the greater part of it.
struct DeadlineQueue<Action> {
    typealias Instant = ContinuousClock.Instant

    private var heap: [(due: Instant, id: UInt64)] = []
    private var actions: [UInt64: Action] = [:]
    private var nextID: UInt64 = 0

    /// When the next action is due.
    var earliest: Instant? { heap.first?.due }
    var count: Int { actions.count }

    /// The result names the action for `cancel`; `isEarliest` tells that a waiting thread has to wake earlier than it meant to.
    mutating func add(due: Instant, _ action: Action) -> (id: UInt64, isEarliest: Bool) {
        nextID += 1
        actions[nextID] = action
        let isEarliest = heap.first.map { due < $0.due } ?? true
        heap.append((due, nextID))
        siftUp(heap.count - 1)
        return (nextID, isEarliest)
    }

    mutating func cancel(_ id: UInt64) {
        actions[id] = nil
        // Nobody is to wake for it.
        while let first = heap.first, actions[first.id] == nil { removeFirst() }
        guard heap.count > 64, heap.count > actions.count * 2 else { return }
        heap = heap.filter { actions[$0.id] != nil }.sorted { $0.due < $1.due }
    }

    /// Takes out the actions that are due at `now`, in order.
    mutating func takeDue(at now: Instant) -> [Action] {
        var due: [Action] = []
        while let first = heap.first, first.due <= now {
            removeFirst()
            if let action = actions.removeValue(forKey: first.id) { due.append(action) }
        }
        while let first = heap.first, actions[first.id] == nil { removeFirst() }
        return due
    }

    private mutating func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        siftDown(0)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0, heap[child].due < heap[(child - 1) / 2].due {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [parent * 2 + 1, parent * 2 + 2] where child < heap.count && heap[child].due < heap[least].due
            {
                least = child
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
