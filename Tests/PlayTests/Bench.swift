import Testing

@testable import Play

/// Drives a machine over virtual time.
struct Bench {
    var machine: PodMachine
    var now = Duration.zero
    var seen: [PodMachine.Action] = []

    init(_ yaml: String) throws {
        let problems = ManifestProblems()
        let manifest = try ManifestReader.read(yaml, problems)
        #expect(problems.errors == [])
        machine = PodMachine(try #require(manifest.pods.first))
        _ = machine.handle(.tick, at: now)
        send(.podStarted)
    }

    mutating func send(_ event: PodMachine.Event) { seen = machine.handle(event, at: now) }

    /// Sets the clock on to when something happens by itself.
    mutating func skipToWake() throws {
        now = try #require(machine.wake)
        send(.tick)
    }

    mutating func start(_ name: String, _ attempt: Int = 0) { send(.started(name, attempt: attempt)) }

    mutating func exit(_ name: String, _ code: Int32) { exit(name, 0, code) }

    mutating func exit(_ name: String, _ attempt: Int, _ code: Int32) {
        let reason = code == 0 ? "Completed" : "Error"
        send(.exited(name, attempt: attempt, Termination(exitCode: code, reason: reason)))
    }

    func state(_ name: String) -> String {
        guard let container = machine.containers.first(where: { $0.spec.name == name }) else { return "none" }
        return switch container.state {
        case .waiting(let reason, _): "Waiting \(reason)"
        case .running: "Running"
        case .terminated(let end): "Terminated \(end.reason) \(end.exitCode)"
        }
    }
}

func pod(_ policy: String, _ containers: String, initial: String = "") -> String {
    "kind: Pod\nmetadata: {name: p}\nspec:\n  restartPolicy: \(policy)\n"
        + (initial.isEmpty ? "" : "  initContainers: [\(initial)]\n") + "  containers: [\(containers)]\n"
}
