package import LaunchProtocol
import Model
package import OCI
import Planner

/// One container: its state machine, its record, and the operations that are under way on it.
///
/// The actor is re-entrant, so every method looks at the state anew after each `await`; the machine decides who may do what.
package actor ContainerController {
    nonisolated let id: ContainerID
    nonisolated let podID: PodID
    nonisolated let metadata: ContainerMetadata
    nonisolated let ports: Ports
    nonisolated let settings: Settings
    nonisolated let inventory: Inventory
    nonisolated let pod: PodController

    var record: ContainerRecord
    var machine: ContainerMachine {
        didSet { if !machine.state.isRunning { execs.removeAll() } }
    }
    /// Creation, for those who ask for the same container again while it is made.
    nonisolated let creation = SharedOperation<ContainerID>()
    /// Finished when the main process has ended, or the start failed.
    nonisolated let ended = SharedOperation<ContainerExit>()
    private var starting: SharedOperation<Void>?
    private var removing: SharedOperation<Void>?
    /// A start whose client left before its result: the next start call is its retry.
    private var startResultIsOwed = false
    /// What the main process was started from, for execs; rebuilt after a restart of the daemon.
    var runningSpec: RuntimeSpec?
    /// The last commands without input, while the main process runs.
    nonisolated let execs = RecentExecs()
    private var cgroupRemoval: SharedOperation<Void>?

    init(record: ContainerRecord, state: ContainerMachine.State, pod: PodController) {
        id = record.id
        metadata = record.config.metadata
        podID = record.podID
        ports = pod.ports
        settings = pod.settings
        inventory = pod.inventory
        self.pod = pod
        self.record = record
        machine = ContainerMachine(state)
        if case .exited(let exit) = state { ended.finish(.success(exit)) }
    }

    /// "container <short id>", for messages.
    nonisolated var title: String { "container \"\(id.short)\"" }

    func publish() { inventory.publish(ContainerSnapshot(record: record, state: machine.state)) }

    /// Its description, and the plan of its main process, as they would be used now.
    package func description() async throws -> (spec: RuntimeSpec, plan: LaunchPlan) {
        let plans = Plans(ports: ports, settings: settings)
        let pod = await pod.currentRecord()
        let spec = try await stage(.description) { try await plans.spec(record, pod: pod) }
        return (spec, try await stage(.plan) { try plans.container(record, spec: spec, pod: pod) })
    }

    // MARK: Start

    package func start() async throws {
        switch machine.start() {
        case .refuse(let why):
            if let starting, !starting.isFinished || startResultIsOwed {
                try await deliver(starting)
                return
            }
            throw Fault.precondition("start \(title): it \(why)")
        case .launch:
            let operation = SharedOperation<Void>.start(on: ports.executor) { try await self.launch() }
            starting = operation
            try await deliver(operation)
        }
    }

    private func deliver(_ operation: SharedOperation<Void>) async throws {
        do {
            try await operation.value()
            startResultIsOwed = false
        } catch {
            // A wait that was cancelled leaves the result to the retry.
            startResultIsOwed = Task.isCancelled
            throw error
        }
    }

    private func launch() async throws {
        var plan: LaunchPlan?
        do {
            guard await pod.isReady() else {
                throw Fault.precondition("start \(title): the pod sandbox \"\(podID.short)\" is not ready")
            }
            let pod = await pod.currentRecord()
            let plans = Plans(ports: ports, settings: settings)
            let spec = try await stage(.description) { try await plans.spec(record, pod: pod) }
            runningSpec = spec
            let compiled = try await stage(.plan) { try plans.container(record, spec: spec, pod: pod) }
            plan = compiled
            record.phase = .started
            try await stage(.record) { try await ports.records.save(record) }
            try await stage(.cgroup, about: record.cgroup) {
                try await ports.cgroups.makeContainer(
                    record.cgroup, resources: record.config.resources, devices: Self.deviceRules(spec, record))
            }
            let process = ProcessLaunch(
                pod: podID, process: id.text, plan: compiled, cgroup: record.cgroup, log: plans.log(record, pod: pod))
            let started = try await stage(.launch, about: counted(compiled.steps.count, "step")) {
                try await ports.supervisors.launch(process)
            }
            if machine.launched(pid: started.pid, at: started.startedAt) { publish() }
        } catch {
            throw await startFailed(error, plan: plan)
        }
    }

    /// Nil = no device program: a privileged container may use every device.
    private static func deviceRules(_ spec: RuntimeSpec, _ record: ContainerRecord) -> [RuntimeResources.DeviceRule]? {
        record.config.security.privileged ? nil : spec.linux?.resources?.devices ?? []
    }

    /// Records the failure as an exit with code 128 (behaviour of the CRI) and makes the sentence that the client sees.
    private func startFailed(_ error: any Error, plan: LaunchPlan?) async -> Fault {
        let fault = Plans.fault(for: error, plan: plan, operation: "start \(title)")
        let now = ports.clock.now()
        let exit = ContainerExit(
            code: 128, reason: ContainerExit.startError, message: fault.description, startedAt: now, finishedAt: now)
        await end(exit, action: machine.launchFailed(exit), mustPersist: true)
        return fault
    }

    // MARK: End

    /// The supervisor reports the end of the main process.
    func processExited(_ record: ExitRecord) async {
        let exit = Self.exit(of: record)
        await end(exit, action: machine.exited(exit), mustPersist: false)
        await ports.supervisors.forget(podID, process: id.text)
    }

    /// Nobody can report the end any more.
    func processLost(code: Int32, reason: String, message: String) async {
        let now = ports.clock.now()
        var startedAt = now
        if case .running(let running) = machine.state { startedAt = running.startedAt }
        let exit = ContainerExit(code: code, reason: reason, message: message, startedAt: startedAt, finishedAt: now)
        await end(exit, action: machine.exited(exit), mustPersist: true)
    }

    static func exit(of record: ExitRecord) -> ContainerExit {
        let wasOutOfMemory = record.oomKills > 0 && record.exitCode == 137
        let reason = wasOutOfMemory ? "OOMKilled" : record.exitCode == 0 ? "Completed" : "Error"
        return ContainerExit(
            code: record.exitCode, reason: reason,
            message: wasOutOfMemory ? "the kernel killed \(record.oomKills) process(es) for want of memory" : "",
            startedAt: record.startedAtNanoseconds, finishedAt: record.exitedAtNanoseconds)
    }

    private func end(_ exit: ContainerExit, action: ContainerMachine.ExitAction, mustPersist: Bool) async {
        guard action == .record else { return }
        record.exit = exit
        record.phase = .exited
        publish()
        let saved = record
        ended.finish(.success(exit))
        // An exit that the supervisor recorded is on disk already.
        if mustPersist {
            _ = await ports.bestEffort("record the exit of \(title)") { try await $0.records.save(saved) }
        }
        let ports = ports
        let cgroup = record.cgroup
        cgroupRemoval = .start(on: ports.executor) { try await ports.cgroups.remove(cgroup) }
    }

    // MARK: Stop

    /// Returns when the container has ended. `timeout` 0 kills at once.
    package func stop(timeout: Duration) async throws {
        let operation = SharedOperation<Void>.start(on: ports.executor) {
            try await self.stopToTheEnd(timeout: timeout)
        }
        try await operation.value()
    }

    private func stopToTheEnd(timeout: Duration) async throws {
        while true {
            switch machine.stop() {
            case .nothing: return
            case .awaitStart:
                await startFinished()
                continue
            case .signalAndWait:
                if timeout > .zero {
                    _ = try await stage(.signal, about: "\(record.stopSignal)") {
                        try await ports.supervisors.signal(podID, process: id.text, signal: record.stopSignal)
                    }
                }
            case .wait: break
            }
            if timeout > .zero,
                try await stage(.wait, about: "at most \(timeout)", { try await wait(for: ended, atMost: timeout) })
            {
                return
            }
            try await stage(.kill) { try await kill() }
            return
        }
    }

    private func startFinished() async {
        guard let starting else { return }
        // How the start went shows in the machine's state.
        do { try await starting.value() } catch { return }
    }

    /// Kills everything in the container's cgroup and returns when the end is known.
    func kill() async throws {
        try await ports.cgroups.kill(record.cgroup)
        if try await wait(for: ended, atMost: settings.killGrace) { return }
        // The supervisor does not answer; an empty cgroup proves the end as well.
        try await ports.cgroups.remove(record.cgroup)
        await processLost(
            code: 137, reason: "SupervisorLost", message: "killed; the pod's supervisor did not report the end")
    }

    /// Ends the container at once, if it runs; used when its pod stops.
    func end() async throws {
        try await stopToTheEnd(timeout: .zero)
    }

    /// The pod's supervisor is dead: what still runs is killed and counts as lost.
    func killAfterLoss() async throws {
        try await ports.cgroups.kill(record.cgroup)
        let written = try await ports.records.exitRecord(podID, process: id.text)
        if let written {
            await processExited(written)
        } else if case .running = machine.state {
            await processLost(code: 137, reason: "SupervisorLost", message: "the pod's supervisor died")
        }
    }

    // MARK: Remove

    package func remove() async throws {
        while true {
            switch machine.remove() {
            case .nothing: return
            case .awaitStart: await startFinished()
            case .killThenRemove:
                let operation = SharedOperation<Void>.start(on: ports.executor) { try await self.kill() }
                try await operation.value()
            case .awaitRemoval:
                guard let removing else { return }
                try await removing.value()
                return
            case .remove:
                let operation = SharedOperation<Void>.start(on: ports.executor) { try await self.takeApart() }
                removing = operation
                try await operation.value()
                return
            }
        }
    }

    private func takeApart() async throws {
        do {
            if let cgroupRemoval {
                _ = await ports.bestEffort("remove cgroup of \(title)") { _ in try await cgroupRemoval.value() }
            }
            try await stage(.cgroup) { try await ports.cgroups.remove(record.cgroup) }
            try await stage(.writableLayer) { try await ports.host.removeContainer(id) }
            await stage(.image) { await ports.images.release(id) }
            await stage(.supervisor) { await ports.supervisors.forget(podID, process: id.text) }
            try await stage(.record) { try await ports.records.removeContainer(id) }
        } catch {
            machine.removalFailed()
            publish()
            throw error.fault("remove \(title)")
        }
        machine.removed()
        inventory.withdraw(id, of: podID, name: record.config.metadata)
    }

    // MARK: Other

    /// Writes a change of the record and shows it.
    func change(_ change: (inout ContainerRecord) -> Void) async throws {
        var changed = record
        change(&changed)
        try await ports.records.save(changed)
        change(&record)
        publish()
    }
}
