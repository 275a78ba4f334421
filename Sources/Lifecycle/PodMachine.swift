/// The states of a pod sandbox.
///
///     creating --made--> ready --stop--> stopping --stopped--> stopped --remove--> removing --removed--> removed
///        |                 \__lost (supervisor or init died)_____^  |
///        +--failed--> (undone: removed; undo failed: stopped)       +--stop (network not yet released)--> stopping
///
/// No I/O, no clock; the controller carries out the actions.
package struct PodMachine: Sendable, Equatable {
    package enum State: Sendable, Equatable { case creating, ready, stopping, stopped, removing, removed }

    package private(set) var state: State

    package init(_ state: State) { self.state = state }

    package enum StopAction: Sendable, Equatable { case awaitCreation, stop, awaitStop, nothing }
    package enum RemoveAction: Sendable, Equatable {
        case awaitCreation, stopFirst, awaitStop, remove, awaitRemoval, nothing
    }

    /// Containers may be created and started.
    package var isReady: Bool { state == .ready }

    package mutating func made() {
        if state == .creating { state = .ready }
    }

    /// The sandbox could not be made. `undone` tells whether nothing of it is left.
    package mutating func failed(undone: Bool) {
        if state == .creating { state = undone ? .removed : .stopped }
    }

    /// The supervisor or the pod's init has died. True if that is news.
    package mutating func lost() -> Bool {
        guard state == .ready else { return false }
        state = .stopped
        return true
    }

    /// `released`: nothing of a stopped pod is left to release.
    package mutating func stop(released: Bool) -> StopAction {
        switch state {
        case .creating: return .awaitCreation
        case .ready:
            state = .stopping
            return .stop
        case .stopping: return .awaitStop
        case .stopped:
            guard !released else { return .nothing }
            state = .stopping
            return .stop
        case .removing, .removed: return .nothing
        }
    }

    /// Stopping has ended, well or not; a failed stop is tried again by the next call.
    package mutating func stopped() {
        if state == .stopping { state = .stopped }
    }

    package mutating func remove(released: Bool) -> RemoveAction {
        switch state {
        case .creating: return .awaitCreation
        case .ready: return .stopFirst
        case .stopping: return .awaitStop
        case .stopped:
            guard released else { return .stopFirst }
            state = .removing
            return .remove
        case .removing: return .awaitRemoval
        case .removed: return .nothing
        }
    }

    package mutating func removalFailed() {
        if state == .removing { state = .stopped }
    }

    package mutating func removed() { state = .removed }
}
