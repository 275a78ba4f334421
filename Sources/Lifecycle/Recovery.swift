import LaunchProtocol
import Logging
import Model

/// What recovery found and did, for the log and for `recover`.
package struct RecoveryReport: Sendable, Equatable {
    package var podsReady = 0
    package var podsStopped = 0
    package var podsUndone = 0
    package var containersRunning = 0
    package var containersExited = 0
    package var containersCreated = 0
    package var containersUndone = 0
    package var leftoversRemoved = 0
}

extension Runtime {
    /// Brings the inventory to what really is on the node (architecture, section 4): adopts what lives, records what ended
    /// meanwhile, undoes what was half made. Called once, before any RPC is answered.
    package func recover() async throws -> RecoveryReport {
        let (pods, containers) = try await ports.records.load()
        let byPod = Dictionary(grouping: containers, by: \.podID)
        var report = RecoveryReport()
        for pod in pods {
            let ended = await recover(pod, containers: byPod[pod.id] ?? [], report: &report)
            for container in ended { inventory.announceEnd(of: container, in: pod.id) }
            if pod.phase == .ready, inventory.pod(pod.id)?.isReady == false { inventory.announceEnd(of: pod.id) }
        }
        try await removeLeftovers(pods: Set(pods.map(\.id)), containers: containers, report: &report)
        return report
    }

    /// Returns the containers whose end nobody has seen, in the order of their ends.
    private func recover(
        _ record: PodRecord, containers: [ContainerRecord], report: inout RecoveryReport
    ) async -> [ContainerID] {
        let wasReady = record.phase == .ready
        let processes = await adopt(record)
        let outcome = RecoveryDecision.outcome(of: record, processes: processes)
        let isReady = outcome == .ready
        var record = record
        if outcome == .lost { record.phase = .stopped }
        let pod = PodController(
            record: record, state: outcome == .undone ? .creating : isReady ? .ready : .stopped, ports: ports,
            settings: settings, inventory: inventory)
        guard inventory.reserve(record.config.metadata, for: pod) == nil else {
            ports.log.error("two records name one pod; the second is left alone", metadata: ["pod": "\(record.id)"])
            return []
        }
        if outcome == .undone {
            await pod.undoCreation()
            ports.leaks.note(.unfinishedPod, .recovery, isMended: inventory.controller(of: record.id) == nil)
            report.podsUndone += 1
            return []
        }
        if isReady {
            report.podsReady += 1
            pod.creation.finish(.success(record.id))
        } else {
            report.podsStopped += 1
            pod.creation.finish(.success(record.id))
        }
        await pod.publish()
        var ended: [ContainerID] = []
        for container in containers {
            let isNews = await recover(
                container, pod: pod, processes: isReady ? processes : nil, podEnded: wasReady && !isReady,
                report: &report)
            if isNews { ended.append(container.id) }
        }
        if !isReady {
            if outcome == .lost { await pod.leaked(.lostPod, .recovery) }
            await pod.settleAfterLoss()
        }
        return ended
    }

    /// Connects to a pod's supervisor; nil where the pod cannot be alive.
    private func adopt(_ record: PodRecord) async -> [ProcessState]? {
        guard RecoveryDecision.mayLive(record, bootID: ports.records.bootID) else { return nil }
        do {
            return RecoveryDecision.living(try await ports.supervisors.reconnect(record.id))
        } catch {
            ports.log.error(
                "cannot talk to a pod's supervisor; the pod counts as lost",
                metadata: ["pod": "\(record.id)", "error": "\(error)"])
            return nil
        }
    }

    /// True if the container has ended and no daemon has seen it: its supervisor would have forgotten it.
    private func recover(
        _ record: ContainerRecord, pod: PodController, processes: [ProcessState]?, podEnded: Bool,
        report: inout RecoveryReport
    ) async -> Bool {
        let isUnseen =
            podEnded || processes?.contains { $0.phase == .exited && $0.process == Array(record.id.text.utf8) } == true
        let wasStarted = record.phase == .started
        let sameBoot = await pod.currentRecord().bootID == ports.records.bootID
        let state = await state(of: record, processes: processes, sameBoot: sameBoot)
        var record = record
        if state == .created, record.phase == .started { record.phase = .created }
        if case .exited(let exit) = state {
            record.exit = exit
            record.phase = .exited
        }
        let container = ContainerController(record: record, state: state, pod: pod)
        guard inventory.reserve(record.config.metadata, for: container) == nil else {
            ports.log.error("two records name one container", metadata: ["container": "\(record.id)"])
            return false
        }
        if record.phase == .creating {
            let isUndone = await container.undoRecoveredCreation()
            ports.leaks.note(.unfinishedContainer, .recovery, isMended: isUndone)
            report.containersUndone += 1
            return false
        }
        container.creation.finish(.success(record.id))
        _ = await ports.bestEffort("retain image of \(container.title)") { [record] in
            try await $0.images.retain(record.image, for: record.id)
        }
        await container.publish()
        switch state {
        case .running: report.containersRunning += 1
        case .exited:
            report.containersExited += 1
            // An end that nobody saw gets its time now, once and for all.
            if wasStarted {
                _ = await ports.bestEffort("record the end of \(container.title)") { [record] in
                    try await $0.records.save(record)
                }
            }
            _ = await ports.bestEffort("remove cgroup of \(container.title)") { [record] in
                try await $0.cgroups.remove(record.cgroup)
            }
            // Its exit record stays; so the next daemon knows that this end is known.
            if processes != nil { await ports.supervisors.forget(record.podID, process: record.id.text) }
            return wasStarted && isUnseen
        default: report.containersCreated += 1
        }
        return false
    }

    private func state(
        of record: ContainerRecord, processes: [ProcessState]?, sameBoot: Bool
    ) async -> ContainerMachine.State {
        var exitRecord: ExitRecord?
        if RecoveryDecision.needsExitRecord(record, processes: processes) {
            do {
                exitRecord = try await ports.records.exitRecord(record.podID, process: record.id.text)
            } catch {
                ports.log.error(
                    "unreadable exit record", metadata: ["container": "\(record.id)", "error": "\(error)"])
            }
        }
        return RecoveryDecision.state(
            of: record, processes: processes, exitRecord: exitRecord, sameBoot: sameBoot, now: ports.clock.now())
    }

    /// What is on the node without a record: made by a daemon that died before it could write one, or left by a damaged one.
    private func removeLeftovers(
        pods: Set<PodID>, containers: [ContainerRecord], report: inout RecoveryReport
    ) async throws {
        let found = try await ports.host.leftovers()
        let knownContainers = Set(containers.map(\.id))
        let podsOnDisk = Set(found.pods)
        let orphanPods = podsOnDisk.union(try await ports.network.attached()).subtracting(pods)
        for container in containers where !pods.contains(container.podID) {
            let failure = await ports.bestEffort("remove container \(container.id.short) without a pod") {
                try await $0.cgroups.remove(container.cgroup)
                try await $0.host.removeContainer(container.id)
                try await $0.records.removeContainer(container.id)
            }
            ports.leaks.note(.containerWithoutPod, .recovery, isMended: failure == nil)
            report.leftoversRemoved += 1
        }
        for pod in orphanPods {
            report.leftoversRemoved += 1
            let failures = [
                await ports.bestEffort("release network of \(pod.short)") { try await $0.network.release(pod) },
                await ports.bestEffort("end supervisor of \(pod.short)") { try await $0.supervisors.end(pod) },
                await ports.bestEffort("remove cgroup of \(pod.short)") { try await $0.cgroups.removeSupervisor(pod) },
                await ports.bestEffort("release mounts of \(pod.short)") { try await $0.host.releasePod(pod) },
                await ports.bestEffort("remove directories of \(pod.short)") { try await $0.host.removePod(pod) },
            ]
            ports.leaks.note(
                podsOnDisk.contains(pod) ? .podWithoutRecord : .networkWithoutPod, .recovery,
                isMended: failures.allSatisfy { $0 == nil })
        }
        for container in found.containers where !knownContainers.contains(container) {
            report.leftoversRemoved += 1
            let failure = await ports.bestEffort("remove directories of \(container.short)") {
                try await $0.host.removeContainer(container)
            }
            ports.leaks.note(.containerWithoutRecord, .recovery, isMended: failure == nil)
        }
    }
}

extension PodController {
    /// A daemon died while it made this sandbox.
    func undoCreation() async {
        await creationFailed(Fault(.aborted, "the daemon ended while the sandbox was made"))
    }

    /// After a loss: what a dead supervisor left running ends, and a network of another boot is released.
    func settleAfterLoss() async {
        if let error = await release() {
            ports.log.warning("a lost pod is not released yet", metadata: ["pod": "\(id)", "error": "\(error)"])
        }
        let saved = record
        _ = await ports.bestEffort("record the loss of \(title)") { try await $0.records.save(saved) }
        publish()
    }
}

extension ContainerController {
    /// A daemon died while it made this container.
    func undoRecoveredCreation() async -> Bool {
        let isUndone = await undoCreation()
        creation.finish(.failure(Fault(.aborted, "the daemon ended while the container was made")))
        return isUndone
    }
}
