import LaunchProtocol
import Lifecycle
import Model
import TestFakes
import Testing

@Suite("Decisions of recovery")
struct RecoveryDecisionTests {
    /// Records as a daemon writes them, by running a pod and a container on a fake node.
    private func records() async throws -> (pod: PodRecord, container: ContainerRecord) {
        let bench = Bench()
        let (_, id) = try await bench.runContainer()
        let (pods, containers) = try await bench.node.ports.records.load()
        return (try #require(pods.first), try #require(containers.first { $0.id == id }))
    }

    private func process(
        _ record: ContainerRecord, _ phase: ProcessState.Phase, exit: ExitRecord? = nil
    ) -> ProcessState {
        ProcessState(
            process: Array(record.id.text.utf8), kind: .container, phase: phase, pid: 7, startedAtNanoseconds: 1,
            exit: exit)
    }

    private func state(
        _ record: ContainerRecord, _ processes: [ProcessState]?, exit: ExitRecord? = nil, sameBoot: Bool = true
    ) -> ContainerMachine.State {
        RecoveryDecision.state(
            of: record, processes: processes, exitRecord: exit, sameBoot: sameBoot, now: .max)
    }

    @Test func `only a ready pod of this boot may live`() async throws {
        var pod = try await records().pod
        #expect(RecoveryDecision.mayLive(pod, bootID: pod.bootID))
        #expect(!RecoveryDecision.mayLive(pod, bootID: "another"))
        for phase in [PodRecord.Phase.creating, .stopped] {
            pod.phase = phase
            #expect(!RecoveryDecision.mayLive(pod, bootID: pod.bootID))
        }
    }

    @Test func `a pod is what its phase and its supervisor say`() async throws {
        var (pod, container) = try await records()
        #expect(RecoveryDecision.outcome(of: pod, processes: []) == .ready)
        #expect(RecoveryDecision.outcome(of: pod, processes: nil) == .lost)
        var podInit = process(container, .exited)
        podInit.kind = .podInit
        #expect(RecoveryDecision.living([podInit]) == nil)
        podInit.phase = .running
        #expect(RecoveryDecision.living([podInit])?.count == 1)
        pod.phase = .creating
        #expect(RecoveryDecision.outcome(of: pod, processes: nil) == .undone)
        pod.phase = .stopped
        #expect(RecoveryDecision.outcome(of: pod, processes: nil) == .stopped)
    }

    @Test func `a started container is what its supervisor says, else its exit record, else lost`() async throws {
        let record = try await records().container
        #expect(record.phase == .started)
        #expect(state(record, [process(record, .running)]) == .running(.init(pid: 7, startedAt: 1)))
        #expect(!RecoveryDecision.needsExitRecord(record, processes: [process(record, .running)]))
        #expect(RecoveryDecision.needsExitRecord(record, processes: []))
        #expect(state(record, []) == .created)
        let exit = ExitRecord(
            process: Array(record.id.text.utf8), kind: .container, pid: 7, startedAtNanoseconds: 1,
            exitedAtNanoseconds: 2, exitCode: 3, oomKills: 0)
        for known in [state(record, nil, exit: exit), state(record, [process(record, .exited, exit: exit)])] {
            guard case .exited(let end) = known else { throw Fault(.internal, "\(known)") }
            #expect(end.code == 3 && end.reason == "Error")
        }
        for (sameBoot, reason) in [(true, "SupervisorLost"), (false, "Unknown")] {
            guard case .exited(let end) = state(record, nil, sameBoot: sameBoot) else { throw Fault(.internal, "runs") }
            #expect(end.code == 255 && end.reason == reason)
        }
    }

    @Test func `what ended before stays as it was recorded`() async throws {
        var record = try await records().container
        record.phase = .exited
        record.exit = ContainerExit(code: 9, reason: "Error", startedAt: 1, finishedAt: 2)
        #expect(state(record, nil) == .exited(try #require(record.exit)))
        #expect(!RecoveryDecision.needsExitRecord(record, processes: nil))
        record.exit = nil
        guard case .exited(let end) = state(record, nil) else { throw Fault(.internal, "runs") }
        #expect(end.code == 255 && end.reason == "Unknown")
        record.phase = .created
        #expect(state(record, nil) == .created)
    }
}
