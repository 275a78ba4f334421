/// The states of a container and the only ways between them.
///
///     created --start--> starting --launched--> running --exited--> exited
///        |                  |  \__launchFailed_______________________^ |
///        |                  |   \_exited (before the answer)_________^ |
///        +------------------+------------- remove ---------------------+--> removing --removed--> removed
///
/// No I/O, no clock: times come in with the events, what to do goes out as an action.
package struct ContainerMachine: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        case created
        case starting
        case running(Running)
        case exited(ContainerExit)
        /// Being taken apart; `exit` is nil if it never ran.
        case removing(exit: ContainerExit?)
        case removed
    }

    package struct Running: Sendable, Equatable {
        package var pid: Int32
        package var startedAt: Int64
        /// The stop signal was sent: it is sent once.
        package var stopSignalled = false

        package init(pid: Int32, startedAt: Int64) {
            self.pid = pid
            self.startedAt = startedAt
        }
    }

    package private(set) var state: State

    package init(_ state: State) { self.state = state }

    package enum StartAction: Sendable, Equatable { case launch, refuse(String) }
    package enum StopAction: Sendable, Equatable {
        /// Nothing runs: success.
        case nothing
        /// A start is under way: wait for its end, then ask again.
        case awaitStart
        /// Send the stop signal, then wait.
        case signalAndWait
        /// The signal was sent before: wait, with this caller's own time limit.
        case wait
    }
    package enum RemoveAction: Sendable, Equatable { case awaitStart, killThenRemove, remove, awaitRemoval, nothing }
    package enum ExitAction: Sendable, Equatable { case record, ignore }

    /// A client asks for a start.
    package mutating func start() -> StartAction {
        switch state {
        case .created:
            state = .starting
            return .launch
        case .starting: return .refuse("is being started already")
        case .running: return .refuse("is running already")
        case .exited: return .refuse("has exited; a container starts once")
        case .removing, .removed: return .refuse("is being removed")
        }
    }

    /// The supervisor says that execve(2) succeeded. False if the container has ended meanwhile.
    package mutating func launched(pid: Int32, at startedAt: Int64) -> Bool {
        switch state {
        case .starting, .created:
            state = .running(Running(pid: pid, startedAt: startedAt))
            return true
        case .running, .exited, .removing, .removed: return false
        }
    }

    /// The start failed for good.
    package mutating func launchFailed(_ exit: ContainerExit) -> ExitAction {
        switch state {
        case .starting, .created:
            state = .exited(exit)
            return .record
        case .running, .exited, .removing, .removed: return .ignore
        }
    }

    /// The start was undone before anything ran: it may be tried again.
    package mutating func launchUndone() {
        if case .starting = state { state = .created }
    }

    /// The main process has ended.
    package mutating func exited(_ exit: ContainerExit) -> ExitAction {
        switch state {
        case .created, .starting, .running:
            state = .exited(exit)
            return .record
        case .removing(nil):
            state = .removing(exit: exit)
            return .ignore
        case .exited, .removing, .removed: return .ignore
        }
    }

    package mutating func stop() -> StopAction {
        switch state {
        case .created, .exited, .removing, .removed: return .nothing
        case .starting: return .awaitStart
        case .running(var running):
            guard !running.stopSignalled else { return .wait }
            running.stopSignalled = true
            state = .running(running)
            return .signalAndWait
        }
    }

    package mutating func remove() -> RemoveAction {
        switch state {
        case .created:
            state = .removing(exit: nil)
            return .remove
        case .starting: return .awaitStart
        case .running: return .killThenRemove
        case .exited(let exit):
            state = .removing(exit: exit)
            return .remove
        case .removing: return .awaitRemoval
        case .removed: return .nothing
        }
    }

    /// Taking apart failed: what is left may be removed again.
    package mutating func removalFailed() {
        if case .removing(let exit) = state {
            state = exit.map { .exited($0) } ?? .created
        }
    }

    package mutating func removed() { state = .removed }
}

extension ContainerMachine.State {
    /// The main process has been started and has not ended.
    package var isRunning: Bool {
        if case .running = self { return true }
        return false
    }
}
