package import Foundation
package import LaunchProtocol
package import Lifecycle
import Logging
package import Model
import Planner
import Seccomp
package import Synchronization

/// A node that exists only in memory: what pods and containers leave on it, and a switch that makes any call fail.
package final class FakeNode: Sendable {
    package struct Process: Sendable {
        package var plan: LaunchPlan
        package var pid: Int32
        package var startedAt: Int64
        package var exit: ExitRecord?
    }

    package struct State: Sendable {
        package var bootID = "boot-1"
        package var now: Int64 = 1_000_000_000
        package var calls: [String] = []
        package var podRecords: [PodID: Data] = [:]
        package var containerRecords: [ContainerID: Data] = [:]
        package var exitRecords: [String: ExitRecord] = [:]
        package var podDirectories: Set<PodID> = []
        package var containerDirectories: Set<ContainerID> = []
        package var cgroups: Set<String> = []
        package var supervisorCgroups: Set<PodID> = []
        package var supervisors: [PodID: [String: Process]] = [:]
        package var attachments: Set<PodID> = []
        package var retained: [ContainerID: String] = [:]
        package var limits: [String: LinuxResources] = [:]
        package var images: [String: ResolvedImage] = [:]
        package var networkUnready: String?
        package var nextPID: Int32 = 100
        /// What exec answers.
        package var execOutcome: ExecOutcome = .exited(code: 0, stdout: [], stderr: [])
        /// Called with the name of each call, before it acts; what it throws is the call's error.
        package var onStep: (@Sendable (_ index: Int, _ name: String) throws -> Void)?
        /// `attach` waits for it.
        package var attachGate: SharedOperation<Void>?
        /// Signals that end a process; others are only counted.
        package var deadlySignals: Set<Int32> = [9, 15]
        package var signals: [Int32] = []
    }

    package let state = Mutex(State())
    private let sink = Mutex<(@Sendable (SupervisorEvent, PodID) async -> Void)?>(nil)

    package init() {}

    package var ports: Ports {
        Ports(
            supervisors: FakeSupervisors(node: self), cgroups: FakeCgroups(node: self),
            records: FakeRecords(node: self),
            network: FakeNetwork(node: self), images: FakeImages(node: self), host: FakeHost(node: self),
            clock: FakeClock(node: self), log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    package var settings: Settings {
        let facts = HostFacts(
            kernel: KernelVersion(6, 18), hostname: "node", lastCapability: 40, heldCapabilities: .all(upTo: 40),
            cgroupMount: "/sys/fs/cgroup")
        return Settings(
            specs: SpecBuilder(host: facts), plans: PlanBuilder(host: facts, seccomp: SeccompCompiler()),
            killGrace: .seconds(5))
    }

    /// Where events of supervisors go: a runtime on this node.
    package func deliver(to runtime: Runtime) {
        sink.withLock { $0 = { event, pod in await runtime.handle(event, from: pod) } }
    }

    package func emit(_ event: SupervisorEvent, from pod: PodID) async {
        let sink = sink.withLock { $0 }
        await sink?(event, pod)
    }

    /// Counts a call and gives the test its chance to fail it.
    func step(_ name: String) throws {
        let (hook, index) = state.withLock { state in
            state.calls.append(name)
            return (state.onStep, state.calls.count - 1)
        }
        try hook?(index, name)
    }

    /// What a node would still have: a sentence an object.
    package var leftovers: [String] {
        state.withLock { state in
            state.podRecords.keys.map { "pod record \($0.short)" }
                + state.containerRecords.keys.map { "container record \($0.short)" }
                + state.podDirectories.map { "pod directory \($0.short)" }
                + state.containerDirectories.map { "container directory \($0.short)" }
                + state.cgroups.map { "cgroup \($0)" }
                + state.supervisorCgroups.map { "supervisor cgroup \($0.short)" }
                + state.supervisors.keys.map { "supervisor \($0.short)" }
                + state.attachments.map { "network of \($0.short)" }
                + state.retained.keys.map { "layers of \($0.short)" }
        }.sorted()
    }

    /// Adds a local image.
    package func addImage(_ name: String, _ change: (inout RuntimeImage) -> Void = { _ in }) {
        var image = RuntimeImage(id: "sha256:" + String(repeating: "a", count: 64), layers: ["1"])
        image.command = ["/bin/true"]
        change(&image)
        state.withLock { $0.images[name] = ResolvedImage(image: image, reference: name + "@sha256:x") }
    }

    /// Ends a process and reports it, as a supervisor does.
    package func end(_ pod: PodID, process: String, code: Int32, oomKills: UInt64 = 0) async {
        let record: ExitRecord? = state.withLock { state in
            guard var running = state.supervisors[pod]?[process], running.exit == nil else { return nil }
            state.now += 1_000_000
            let record = ExitRecord(
                process: Array(process.utf8), kind: running.plan.kind, pid: running.pid,
                startedAtNanoseconds: running.startedAt, exitedAtNanoseconds: state.now, exitCode: code,
                oomKills: oomKills)
            running.exit = record
            state.supervisors[pod]?[process] = running
            if running.plan.kind == .container { state.exitRecords[pod.text + "/" + process] = record }
            return record
        }
        if let record { await emit(.exited(record), from: pod) }
    }
}
