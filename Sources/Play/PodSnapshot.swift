/// What a pod looks like from outside at one moment.
package struct PodSnapshot: Equatable, Sendable {
    /// One of its containers.
    package struct Row: Equatable, Sendable {
        package var name: String
        package var state: ContainerState
        /// The end before the present state.
        package var previousEnd: Termination?
        package var restarts: Int
        /// Nil if nothing tells: the container has no probe that decides it.
        package var isReady: Bool?

        package init(name: String, state: ContainerState, previousEnd: Termination?, restarts: Int, isReady: Bool?) {
            self.name = name
            self.state = state
            self.previousEnd = previousEnd
            self.restarts = restarts
            self.isReady = isReady
        }
    }

    /// Namespace and name.
    package var pod: String
    package var phase: PodPhase
    package var isReady: Bool
    /// Why there is no sandbox yet.
    package var message: String
    package var rows: [Row]

    package init(pod: String, phase: PodPhase, isReady: Bool, message: String, rows: [Row]) {
        self.pod = pod
        self.phase = phase
        self.isReady = isReady
        self.message = message
        self.rows = rows
    }
}

extension PodMachine {
    /// What there is to show.
    package var snapshot: PodSnapshot {
        PodSnapshot(
            pod: "\(manifest.namespace)/\(manifest.name)", phase: phase, isReady: isReady, message: message,
            rows: containers.map { container in
                let isProbed = container.spec.readiness != nil || container.spec.startup != nil
                return .init(
                    name: container.spec.name, state: container.state, previousEnd: container.previousEnd,
                    restarts: container.restarts, isReady: isProbed ? container.isReady : nil)
            })
    }
}

extension PodSnapshot {
    /// A sentence for each thing that is other than before, in the order in which it happened.
    package func changes(since before: PodSnapshot?) -> [String] {
        var lines: [String] = []
        let isNew = before?.phase != phase || before?.message != message
        // A phase follows from its containers, except the first one.
        if before == nil { lines.append(phaseLine) }
        var others: [String] = []
        for (index, row) in rows.enumerated() {
            let old = before.flatMap { $0.rows.indices.contains(index) ? $0.rows[index] : nil }
            let changes = row.changes(since: old).map { "\(pod)/\(row.name): \($0)" }
            // An end is what the changes of others come from.
            if old?.state == .running, row.state != .running { lines += changes } else { others += changes }
        }
        lines += others
        if before != nil, isNew { lines.append(phaseLine) }
        return lines
    }

    private var phaseLine: String { "\(pod): \(phase.rawValue)" + (message.isEmpty ? "" : ": \(message)") }
}

extension PodSnapshot.Row {
    /// What the state is, in words.
    package var stateText: String {
        switch state {
        case .waiting(let reason, let message): "Waiting \(reason)" + (message.isEmpty ? "" : ": \(message)")
        case .running: "Running" + (isReady.map { $0 ? ", ready" : ", not ready" } ?? "")
        case .terminated(let end): "Terminated \(end.text)"
        }
    }

    fileprivate func changes(since before: Self?) -> [String] {
        guard let before else { return [stateText] }
        var lines: [String] = []
        // One event may end a container and put it into the back-off: both are said.
        if case .running = before.state, case .waiting = state, let end = previousEnd {
            lines.append("Terminated \(end.text)")
        }
        if before.stateText != stateText || before.restarts != restarts {
            lines.append(stateText + (state == .running && restarts > 0 ? ", restart \(restarts)" : ""))
        }
        return lines
    }
}

extension Termination {
    /// Reason, exit code and what the container said last.
    package var text: String { "\(reason), exit code \(exitCode)" + (message.isEmpty ? "" : ": \(message)") }
}
