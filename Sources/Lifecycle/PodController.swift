import LaunchProtocol
import Model

/// One pod sandbox: its state machine, its record, and the operations that are under way on it.
///
/// The actor is re-entrant, so every method looks at the state anew after each `await`; the machine decides who may do what.
package actor PodController {
    /// Name of the pod's init among the supervisor's processes.
    static let initProcess = "init"

    nonisolated let id: PodID
    nonisolated let metadata: PodMetadata
    nonisolated let ports: Ports
    nonisolated let settings: Settings
    nonisolated let inventory: Inventory

    /// The record that the controller was made with.
    nonisolated let firstRecord: PodRecord
    var record: PodRecord
    var machine: PodMachine
    /// Creation, for those who ask for the same sandbox again while it is made.
    nonisolated let creation = SharedOperation<PodID>()
    private var stopping: SharedOperation<Void>?
    private var removing: SharedOperation<Void>?

    init(record: PodRecord, state: PodMachine.State, ports: Ports, settings: Settings, inventory: Inventory) {
        id = record.id
        metadata = record.config.metadata
        firstRecord = record
        self.record = record
        self.ports = ports
        self.settings = settings
        self.inventory = inventory
        machine = PodMachine(state)
    }

    nonisolated var title: String { "pod sandbox \"\(id.short)\"" }

    package func currentRecord() -> PodRecord { record }
    func isReady() -> Bool { machine.isReady }

    func publish() { inventory.publish(PodSnapshot(record: record, isReady: machine.isReady)) }

    /// Writes a change of the record and shows it.
    func change(_ change: (inout PodRecord) -> Void) async throws {
        var changed = record
        change(&changed)
        try await ports.records.save(changed)
        change(&record)
        publish()
    }

    // MARK: Creation

    /// Makes the sandbox; undoes all of it where a part fails.
    func create() async {
        do {
            try await stage(.record) { try await ports.records.save(record) }
            try await stage(.hostFiles) { try await ports.host.makePod(record) }
            try await stage(.cgroup, about: record.cgroup) {
                try await ports.cgroups.makePod(id, sandbox: record.cgroup)
            }
            let birth = try Plans(ports: ports, settings: settings).birth(record)
            do {
                try await stage(.supervisor) { try await ports.supervisors.spawn(id, birth: birth) }
            } catch {
                throw Plans.fault(for: error, plan: birth, operation: "start the pod's supervisor")
            }
            if record.config.namespaces.network != .node {
                let attachment = try await stage(.network) {
                    let attachment = try await ports.network.attach(id, config: record.config, cgroup: record.cgroup)
                    StagePlace.current?.describe(attachment.addresses.joined(separator: ", "))
                    return attachment
                }
                record.addresses = attachment.addresses
                record.networkMicroseconds = attachment.pluginMicroseconds
            }
            if record.config.namespaces.pid == .pod { try await stage(.podInit) { try await launchInit() } }
            record.phase = .ready
            try await stage(.finalRecord) { try await ports.records.save(record) }
            machine.made()
            publish()
            creation.finish(.success(id))
        } catch {
            await creationFailed(error.fault("run pod sandbox \"\(record.config.metadata.name)\""))
        }
    }

    func creationFailed(_ fault: Fault) async {
        if await stage(.undo, { await release() == nil ? await erase() == nil : false }) {
            machine.failed(undone: true)
            inventory.withdraw(id, name: record.config.metadata)
        } else {
            // The kubelet stops and removes what a failed call left: it must be able to see it.
            record.phase = .stopped
            machine.failed(undone: false)
            publish()
            _ = await ports.bestEffort("record the failed \(title)") { [record] in try await $0.records.save(record) }
        }
        creation.finish(.failure(fault))
    }

    /// PID 1 of the namespace that the pod's containers share.
    private func launchInit() async throws {
        let plan = try Plans(ports: ports, settings: settings).podInit(record)
        do {
            _ = try await ports.supervisors.launch(
                ProcessLaunch(pod: id, process: Self.initProcess, plan: plan, cgroup: record.cgroup, log: nil))
        } catch {
            throw Plans.fault(for: error, plan: plan, operation: "start the pod's init")
        }
    }

    // MARK: Loss

    /// The supervisor is dead: nobody watches the pod's processes, so they end.
    func supervisorLost() async {
        guard machine.lost() else { return }
        leaked(.lostPod, .running)
        record.phase = .stopped
        publish()
        let saved = record
        _ = await ports.bestEffort("record the loss of \(title)") { try await $0.records.save(saved) }
        for container in inventory.containerControllers(of: id) {
            _ = await ports.bestEffort("kill \(container.title)") { _ in try await container.killAfterLoss() }
        }
        _ = await ports.bestEffort("kill \(title)") { [record] in try await $0.cgroups.kill(record.cgroup) }
    }

    /// The init of the pod's PID namespace has ended, and with it every process in it.
    func initExited() async {
        guard machine.lost() else { return }
        leaked(.lostPod, .running)
        record.phase = .stopped
        publish()
        let saved = record
        _ = await ports.bestEffort("record the end of \(title)") { try await $0.records.save(saved) }
    }

    // MARK: Stop

    /// True if a stop has nothing left to do.
    private var isReleased: Bool { record.networkReleased && released }
    var released = false
    /// What was found of it without an owner and is not gone yet.
    private var leak: (kind: LeakTally.Kind, moment: LeakTally.Moment)?

    /// Counts something that a release will mend.
    func leaked(_ kind: LeakTally.Kind, _ moment: LeakTally.Moment) {
        guard leak == nil else { return }
        leak = (kind, moment)
        ports.leaks.found(kind, moment)
    }

    private func note(isReleased: Bool) {
        guard isReleased else { return leaked(.unreleasedPod, .running) }
        guard let leak else { return }
        ports.leaks.mended(leak.kind, leak.moment)
        self.leak = nil
    }

    package func stop() async throws {
        while true {
            switch machine.stop(released: isReleased) {
            case .nothing: return
            case .awaitCreation:
                do { _ = try await creation.value() } catch let fault as Fault where fault.code == .cancelled {
                    throw fault
                } catch { return }
            case .awaitStop:
                guard let stopping else { return }
                try await stopping.value()
                return
            case .stop:
                let operation = SharedOperation<Void>.start(on: ports.executor) { try await self.stopToTheEnd() }
                stopping = operation
                try await operation.value()
                return
            }
        }
    }

    private func stopToTheEnd() async throws {
        let containers = inventory.containerControllers(of: id)
        publish()
        let failures = await stage(.containers, about: counted(containers.count, "container")) {
            await withTaskGroup(of: (any Error)?.self) { group in
                for container in containers {
                    group.addTask {
                        await container.ports.bestEffort("stop \(container.title)") { _ in try await container.end() }
                    }
                }
                return await group.reduce(into: [any Error]()) { if let error = $1 { $0.append(error) } }
            }
        }
        let failure = await release() ?? failures.first
        record.phase = .stopped
        let saved = record
        let unsaved = await stage(.record) {
            await ports.bestEffort("record the stop of \(title)") { try await $0.records.save(saved) }
        }
        machine.stopped()
        publish()
        if let failure = failure ?? unsaved { throw failure.fault("stop \(title)") }
    }

    /// Gives back what the pod holds of the node: network, processes, cgroups, mounts. Every part is tried; the first failure
    /// is returned. May run any number of times.
    func release() async -> (any Error)? {
        let id = id
        var failure: (any Error)?
        if !record.networkReleased {
            failure = await stage(.network) {
                await ports.bestEffort("release network of \(title)") { try await $0.network.release(id) }
            }
            if failure == nil { record.networkReleased = true }
        }
        let cgroup = record.cgroup
        let steps: [(StageName, @Sendable (Ports) async throws -> Void)] = [
            (.kill, { try await $0.cgroups.kill(cgroup) }),
            (.endSupervisor, { try await $0.supervisors.end(id) }),
            (.removeCgroup, { try await $0.cgroups.remove(cgroup) }),
            (.removeSupervisorCgroup, { try await $0.cgroups.removeSupervisor(id) }),
            (.releaseMounts, { try await $0.host.releasePod(id) }),
        ]
        for (what, step) in steps {
            let error = await stage(what) { await ports.bestEffort("\(what.rawValue) of \(title)", step) }
            failure = failure ?? error
        }
        released = failure == nil
        note(isReleased: isReleased)
        return failure
    }

    // MARK: Remove

    package func remove() async throws {
        while true {
            switch machine.remove(released: isReleased) {
            case .nothing: return
            case .awaitCreation:
                do { _ = try await creation.value() } catch let fault as Fault where fault.code == .cancelled {
                    throw fault
                } catch { return }
            case .stopFirst: try await stop()
            case .awaitStop:
                guard let stopping else { return }
                try await stopping.value()
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
            try await stage(.containers) {
                for container in inventory.containerControllers(of: id) { try await container.remove() }
            }
            if let error = await stage(.filesAndRecord, { await erase() }) { throw error }
        } catch {
            machine.removalFailed()
            throw error.fault("remove \(title)")
        }
        machine.removed()
        inventory.withdraw(id, name: record.config.metadata)
    }

    /// Removes what is left of a released pod on disk, its record last.
    private func erase() async -> (any Error)? {
        let id = id
        if let error = await ports.bestEffort("remove directories of \(title)", { try await $0.host.removePod(id) }) {
            return error
        }
        return await ports.bestEffort("remove record of \(title)") { try await $0.records.removePod(id) }
    }
}
