import Lifecycle
import Testing

@Suite("Container machine")
struct ContainerMachineTests {
    static let exit = ContainerExit(code: 3, reason: "Error", startedAt: 10, finishedAt: 20)
    static let other = ContainerExit(code: 9, reason: "Error", startedAt: 11, finishedAt: 21)

    enum Event: CaseIterable, Sendable {
        case start, launched, launchFailed, launchUndone, exited, stop, remove, removalFailed, removed
    }

    static let states: [(String, ContainerMachine.State)] = [
        ("created", .created), ("starting", .starting), ("running", .running(.init(pid: 7, startedAt: 10))),
        ("exited", .exited(exit)), ("removing", .removing(exit: nil)), ("removing*", .removing(exit: exit)),
        ("removed", .removed),
    ]

    static func name(_ state: ContainerMachine.State) -> String {
        switch state {
        case .created: "created"
        case .starting: "starting"
        case .running(let running): running.stopSignalled ? "running+signalled" : "running"
        case .exited(let found): found == exit ? "exited" : "exited(other)"
        case .removing(let found): found == nil ? "removing" : found == exit ? "removing*" : "removing(other)"
        case .removed: "removed"
        }
    }

    static func apply(_ event: Event, to machine: inout ContainerMachine) -> String {
        switch event {
        case .start:
            switch machine.start() {
            case .launch: return "launch"
            case .refuse: return "refuse"
            }
        case .launched: return machine.launched(pid: 8, at: 12) ? "running" : "late"
        case .launchFailed: return "\(machine.launchFailed(other))"
        case .launchUndone:
            machine.launchUndone()
            return "-"
        case .exited: return "\(machine.exited(other))"
        case .stop: return "\(machine.stop())"
        case .remove: return "\(machine.remove())"
        case .removalFailed:
            machine.removalFailed()
            return "-"
        case .removed:
            machine.removed()
            return "-"
        }
    }

    /// The whole table: every event in every state, with the state after it and the action.
    static let table = """
        created start -> starting launch
        created launched -> running running
        created launchFailed -> exited(other) record
        created launchUndone -> created -
        created exited -> exited(other) record
        created stop -> created nothing
        created remove -> removing remove
        created removalFailed -> created -
        created removed -> removed -
        starting start -> starting refuse
        starting launched -> running running
        starting launchFailed -> exited(other) record
        starting launchUndone -> created -
        starting exited -> exited(other) record
        starting stop -> starting awaitStart
        starting remove -> starting awaitStart
        starting removalFailed -> starting -
        starting removed -> removed -
        running start -> running refuse
        running launched -> running late
        running launchFailed -> running ignore
        running launchUndone -> running -
        running exited -> exited(other) record
        running stop -> running+signalled signalAndWait
        running remove -> running killThenRemove
        running removalFailed -> running -
        running removed -> removed -
        exited start -> exited refuse
        exited launched -> exited late
        exited launchFailed -> exited ignore
        exited launchUndone -> exited -
        exited exited -> exited ignore
        exited stop -> exited nothing
        exited remove -> removing* remove
        exited removalFailed -> exited -
        exited removed -> removed -
        removing start -> removing refuse
        removing launched -> removing late
        removing launchFailed -> removing ignore
        removing launchUndone -> removing -
        removing exited -> removing(other) ignore
        removing stop -> removing nothing
        removing remove -> removing awaitRemoval
        removing removalFailed -> created -
        removing removed -> removed -
        removing* start -> removing* refuse
        removing* launched -> removing* late
        removing* launchFailed -> removing* ignore
        removing* launchUndone -> removing* -
        removing* exited -> removing* ignore
        removing* stop -> removing* nothing
        removing* remove -> removing* awaitRemoval
        removing* removalFailed -> exited -
        removing* removed -> removed -
        removed start -> removed refuse
        removed launched -> removed late
        removed launchFailed -> removed ignore
        removed launchUndone -> removed -
        removed exited -> removed ignore
        removed stop -> removed nothing
        removed remove -> removed nothing
        removed removalFailed -> removed -
        removed removed -> removed -
        """

    @Test("every event in every state does what the table says")
    func total() {
        var lines: [String] = []
        for (name, state) in Self.states {
            for event in Event.allCases {
                var machine = ContainerMachine(state)
                let action = Self.apply(event, to: &machine)
                lines.append("\(name) \(event) -> \(Self.name(machine.state)) \(action)")
            }
        }
        #expect(lines.joined(separator: "\n") == Self.table)
    }

    @Test("the stop signal is sent once, whoever asks")
    func signalOnce() {
        var machine = ContainerMachine(.running(.init(pid: 7, startedAt: 10)))
        #expect(machine.stop() == .signalAndWait)
        #expect(machine.stop() == .wait)
    }
}
