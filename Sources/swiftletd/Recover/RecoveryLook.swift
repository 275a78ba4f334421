import LaunchProtocol
import Lifecycle
import Linux
import Model
import StateStore
import SupervisorClient

/// Looks at the node and changes nothing: no file is written, no process signalled, and a supervisor only asked what it knows,
/// as a daemon that dies right after would have done.
///
/// The root's lock is held meanwhile, so that no daemon starts in between. While one runs, supervisors are not asked: each has one
/// connection, which is the daemon's.
struct RecoveryLook {
    let config: Config
    let paths: Layout

    /// How long a supervisor may take to answer.
    private static let patience = Duration.seconds(5)

    init(_ config: Config) {
        self.config = config
        paths = Layout(root: config.root, state: config.state)
    }

    /// What a supervisor says, or why it says nothing.
    private enum Answer {
        case processes([ProcessState])
        case silent(String)
        /// Not asked, as a daemon runs.
        case unasked
    }

    func preview() async throws -> RecoveryPreview {
        var preview = RecoveryPreview(root: config.root, state: config.state)
        guard let root = try open(&preview) else { return preview }
        let pods = try list(PodRecord.self, in: root, &preview)
        let containers = try list(ContainerRecord.self, in: root, &preview)
        let byPod = Dictionary(grouping: containers, by: \.podID)
        let reactor = try await Reactor.start()
        for pod in pods {
            let answer =
                preview.daemonRuns
                ? .unasked : await ask(pod, bootID: root.bootID, reactor)
            add(pod, answer, bootID: root.bootID, &preview)
            for container in byPod[pod.id] ?? [] { add(container, of: pod, answer, bootID: root.bootID, &preview) }
        }
        try Leftovers(config: config, paths: paths).add(
            to: &preview, pods: Set(pods.map(\.id)), containers: containers)
        withExtendedLifetime(root) {}
        return preview
    }

    // MARK: Records

    /// Nil where there is no root: nothing was ever on this node.
    private func open(_ preview: inout RecoveryPreview) throws(Fault) -> StateRoot? {
        do throws(StateError) {
            return try StateRoot(holding: config.root)
        } catch .inUse(_, let process) {
            (preview.daemonRuns, preview.daemonProcess) = (true, process)
            return try Adapters.fault { () throws(StateError) in try StateRoot(readingOnly: config.root) }
        } catch .system(_, _, .noEntry) {
            return nil
        } catch {
            throw error.fault
        }
    }

    private func list<Record: StateRecord>(
        _ type: Record.Type, in root: StateRoot, _ preview: inout RecoveryPreview
    ) throws(Fault) -> [Record] {
        let listing: Listing<Record>
        do throws(StateError) {
            listing = try root.store(of: type).list()
        } catch .system(_, _, .noEntry) {
            return []
        } catch {
            throw error.fault
        }
        for finding in listing.findings {
            guard case .damaged = finding.kind else { continue }
            preview.items.append(
                .init(kind: "record", id: finding.name, name: "", action: .setAside, detail: finding.description))
        }
        return listing.records.map(\.record)
    }

    // MARK: Supervisors

    private func ask(_ pod: PodRecord, bootID: String, _ reactor: Reactor) async -> Answer {
        guard RecoveryDecision.mayLive(pod, bootID: bootID) else { return .silent("") }
        do {
            guard let directory = try OwnedFD.directory(ifPresent: paths.podState(pod.id)) else {
                return .silent("its directory below \(config.state) is gone")
            }
            let connection = try await SupervisorConnection.connect(
                to: pod.id, in: directory, reactor: reactor, deadline: Self.patience, events: { _ in })
            defer { connection.close() }
            let processes = try await connection.snapshot(within: Self.patience).map(\.state)
            return .processes(processes.filter { $0.kind != .exec })
        } catch {
            return .silent("\(error)")
        }
    }

    private func add(_ pod: PodRecord, _ answer: Answer, bootID: String, _ preview: inout RecoveryPreview) {
        func item(_ action: RecoveryPreview.Action, _ detail: String) {
            let metadata = pod.config.metadata
            preview.items.append(
                .init(
                    kind: "pod", id: pod.id.text, name: "\(metadata.namespace)/\(metadata.name)", action: action,
                    detail: detail))
        }
        if case .unasked = answer, RecoveryDecision.mayLive(pod, bootID: bootID) {
            return item(.keep, "ready when its record was written; its supervisor belongs to the daemon that runs")
        }
        switch RecoveryDecision.outcome(of: pod, processes: living(answer)) {
        case .undone: item(.undo, "it was being made")
        case .ready: item(.keep, "its supervisor answers")
        case .stopped: item(.keep, pod.networkReleased ? "stopped" : "stopped; its network is released again")
        case .lost:
            if pod.bootID != bootID { return item(.lost, "the node was restarted; its network is released") }
            switch answer {
            case .processes: item(.lost, "its init has ended; what is left of it ends")
            case .silent(let reason): item(.lost, "its supervisor does not answer: \(reason)")
            case .unasked: item(.lost, "its supervisor was not asked")
            }
        }
    }

    private func living(_ answer: Answer) -> [ProcessState]? {
        guard case .processes(let processes) = answer else { return nil }
        return RecoveryDecision.living(processes)
    }

    // MARK: Containers

    private func add(
        _ container: ContainerRecord, of pod: PodRecord, _ answer: Answer, bootID: String,
        _ preview: inout RecoveryPreview
    ) {
        func item(_ action: RecoveryPreview.Action, _ detail: String) {
            preview.items.append(
                .init(
                    kind: "container", id: container.id.text, name: container.config.metadata.name, action: action,
                    detail: detail))
        }
        // The undo of a pod takes its containers along.
        guard container.phase != .creating, pod.phase != .creating else { return item(.undo, "it was being made") }
        let processes = pod.phase == .ready ? living(answer) : nil
        var exit: ExitRecord?
        do {
            if RecoveryDecision.needsExitRecord(container, processes: processes) {
                exit = try exitRecord(of: container)
            }
        } catch {
            item(.lost, "its exit record cannot be read: \(error)")
            return
        }
        if case .unasked = answer, container.phase == .started, exit == nil,
            RecoveryDecision.mayLive(pod, bootID: bootID)
        {
            return item(.keep, "started; its supervisor belongs to the daemon that runs")
        }
        let state = RecoveryDecision.state(
            of: container, processes: processes, exitRecord: exit, sameBoot: pod.bootID == bootID,
            now: Clock.realtimeNanoseconds)
        switch state {
        case .running(let running): item(.keep, "process \(running.pid) runs")
        case .exited(let end):
            let text = "exit code \(end.code), \(end.reason)"
            let isKnown = container.phase == .exited
            let isLost = ["SupervisorLost", "Unknown"].contains(end.reason)
            item(isKnown ? .keep : isLost ? .lost : .exit, isLost && !isKnown ? "\(text): \(end.message)" : text)
        default:
            container.phase == .started
                ? item(.reset, "its start never reached the supervisor") : item(.keep, "created, not started")
        }
    }

    private func exitRecord(of container: ContainerRecord) throws -> ExitRecord? {
        guard let exits = try OwnedFD.directory(ifPresent: paths.exits(container.podID)) else { return nil }
        return try ExitRecords.read(Array(container.id.text.utf8), in: exits)
    }
}
