/// When the containers of one pod start, are probed, restarted and stopped.
///
///     none -> starting -> ready -> stopping -> stopped
///               ^  |
///               +--+ failed, again after the back-off
///
/// Containers: Waiting -> Running -> Terminated, and back to Waiting or Running where the restart policy says so.
/// Time is any clock that does not run backwards.
package struct PodMachine: Sendable {
    package enum Event: Sendable {
        case tick
        case podStarted
        case podFailed(String)
        case started(String, attempt: Int)
        /// The container could not be made; `reason` is the kubelet's.
        case launchFailed(String, attempt: Int, reason: String, message: String)
        case hookEnded(String, attempt: Int, isGood: Bool)
        case probed(String, attempt: Int, ProbeKind, isGood: Bool)
        case exited(String, attempt: Int, Termination)
        case terminate
        /// The sandbox is gone or not ready although nobody here stopped it.
        case podLost
        case podStopped
    }

    package enum Action: Equatable, Sendable {
        case runPod
        case launch(String, attempt: Int)
        case postStart(String, attempt: Int)
        case probe(String, attempt: Int, ProbeKind)
        /// Run the hook before the stop, which comes later.
        case preStop(String, attempt: Int, grace: Int64)
        case stop(String, attempt: Int, grace: Int64)
        case stopPod
    }

    enum Sandbox: Equatable, Sendable { case none, starting, failed, ready, stopping, stopped }

    package let manifest: PodManifest
    private let scale: Double
    private(set) var sandbox = Sandbox.none
    package private(set) var containers: [ContainerProgress]
    package private(set) var message = ""
    private var sandboxBackoff: BackOff
    private var isTerminating = false
    /// Whether the pod ran longer than it may.
    package private(set) var isOverdue = false
    private var beganAt: Duration?
    /// Whether it was initialised once: a pod whose sandbox is made anew is not pending again.
    private var wasInitialised = false
    private var isLost = false
    /// Whether the init containers have succeeded and the sidecars were started.
    package private(set) var isInitialised = false
    /// Since when the containers are stopped for good.
    private var endingSince: Duration?
    /// When something happens by itself next.
    package private(set) var wake: Duration?

    /// `scale` multiplies the back-off, for tests.
    package init(_ manifest: PodManifest, backOffScale scale: Double = 1) {
        self.manifest = manifest
        self.scale = scale
        let hasInit = manifest.containers.contains { $0.role != .main }
        containers = manifest.containers.map {
            ContainerProgress($0, waiting: hasInit ? "PodInitializing" : "ContainerCreating", BackOff(scale: scale))
        }
        sandboxBackoff = BackOff(scale: scale)
    }

    /// Begins as if the containers that were found had been started here.
    mutating func take(over found: [String: FoundContainer], since began: Duration, at now: Duration) {
        sandbox = .ready
        beganAt = began
        isInitialised = containers.contains { $0.spec.role == .main && found[$0.spec.name] != nil }
        wasInitialised = isInitialised
        for index in containers.indices {
            if let container = found[containers[index].spec.name] { containers[index].adopt(container, at: now) }
            if isInitialised, containers[index].spec.role == .sidecar { containers[index].noteWasStarted() }
        }
    }

    package var isFinished: Bool { sandbox == .stopped }

    package mutating func handle(_ event: Event, at now: Duration) -> [Action] {
        var actions: [Action] = []
        let grace = manifest.terminationGrace
        switch event {
        case .tick: break
        case .podStarted: if sandbox == .starting { sandbox = .ready; message = "" }
        case .podFailed(let why):
            if sandbox == .starting {
                sandbox = .failed
                message = why
                sandboxBackoff.noteRestart(at: now)
                sandboxBackoff.noteEnd(at: now)
            }
        case .started(let name, let attempt): change(name, attempt) { $0.begin(at: now, &actions) }
        case .launchFailed(let name, let attempt, let reason, let message):
            change(name, attempt) { $0.failLaunch(reason, message, at: now) }
        case .hookEnded(let name, let attempt, let isGood):
            change(name, attempt) { $0.endHook(isGood, grace: grace, at: now, &actions) }
        case .probed(let name, let attempt, let kind, let isGood):
            change(name, attempt) { $0.note(kind, isGood, grace: grace, at: now, &actions) }
        case .exited(let name, let attempt, let end): change(name, attempt) { $0.end(end, at: now) }
        case .terminate: isTerminating = true
        case .podLost:
            if sandbox == .ready, !isTerminating, manifest.restartPolicy != .Never {
                beginAnew()
            } else {
                isTerminating = true
                isLost = isLost || sandbox == .ready
            }
        case .podStopped: sandbox = .stopped
        }
        wake = nil
        watchDeadline(at: now)
        advance(at: now, &actions)
        return actions
    }

    /// The next thing is a new sandbox, in which everything starts that would be restarted, as with a kubelet.
    private mutating func beginAnew() {
        sandbox = .failed
        message = ""
        isInitialised = false
        for index in containers.indices where containers[index].spec.role == .initial { containers[index].needAgain() }
    }

    private mutating func watchDeadline(at now: Duration) {
        let began = beganAt ?? now
        beganAt = began
        guard let limit = manifest.activeDeadline, !isTerminating else { return }
        let deadline = began + .seconds(limit)
        guard now >= deadline else { return wakeAt(deadline) }
        isTerminating = true
        isOverdue = true
        message = "Pod was active on the node longer than the specified deadline"
    }

    private mutating func change(_ name: String, _ attempt: Int, _ body: (inout ContainerProgress) -> Void) {
        guard let index = containers.firstIndex(where: { $0.spec.name == name }), containers[index].attempt == attempt
        else { return }
        body(&containers[index])
    }

    // MARK: - Decisions

    private mutating func advance(at now: Duration, _ actions: inout [Action]) {
        switch sandbox {
        case .starting, .stopping, .stopped: return
        case .none, .failed:
            if isTerminating {
                sandbox = .stopping
                return actions.append(.stopPod)
            }
            if sandbox == .failed, now < sandboxBackoff.notBefore { return wakeAt(sandboxBackoff.notBefore) }
            sandbox = .starting
            actions.append(.runPod)
        case .ready:
            if isTerminating || isDone {
                finish(at: now, &actions)
            } else {
                startWhatIsDue(at: now, &actions)
                probe(at: now, &actions)
            }
        }
    }

    private mutating func startWhatIsDue(at now: Duration, _ actions: inout [Action]) {
        var mayGoOn = true
        for index in containers.indices where containers[index].spec.role != .main {
            guard mayGoOn || isInitialised else { break }
            if containers[index].spec.role == .initial {
                if isInitialised || containers[index].hasSucceeded { continue }
                mayGoOn = false
                if !mayRestart(containers[index]) { continue }
            } else if containers[index].isUp {
                if !containers[index].isStarted { mayGoOn = false }
                continue
            } else {
                mayGoOn = false
            }
            launch(index, at: now, &actions)
        }
        isInitialised = isInitialised || mayGoOn
        wasInitialised = wasInitialised || isInitialised
        guard isInitialised else { return }
        for index in containers.indices where containers[index].spec.role == .main {
            if mayRestart(containers[index]) { launch(index, at: now, &actions) }
        }
    }

    /// Starts a container that is not there, or waits for the end of its back-off.
    private mutating func launch(_ index: Int, at now: Duration, _ actions: inout [Action]) {
        guard !containers[index].isBusy else { return }
        guard now >= containers[index].notBefore else {
            containers[index].showBackOff(at: now, pod: "\(manifest.name)_\(manifest.namespace)")
            return wakeAt(containers[index].notBefore)
        }
        guard !containers.contains(where: \.isSettling) else { return }
        actions.append(containers[index].launch(at: now))
    }

    private func mayRestart(_ container: ContainerProgress) -> Bool {
        guard let end = container.lastEnd, container.spec.role != .sidecar else { return true }
        return switch manifest.restartPolicy {
        case .Always: container.spec.role == .main || end.exitCode != 0
        case .OnFailure: end.exitCode != 0 || container.wasEndedByProbe
        case .Never: false
        }
    }

    /// Whether the pod has come to its end by itself.
    private var isDone: Bool {
        if hasFailedInit { return true }
        let main = containers.filter { $0.spec.role == .main }
        return main.allSatisfy { $0.isTerminated && !mayRestart($0) }
    }

    private var hasFailedInit: Bool {
        manifest.restartPolicy == .Never
            && containers.contains { $0.spec.role == .initial && ($0.lastEnd?.exitCode ?? 0) != 0 }
    }

    /// What a container has left at least to end by itself, as a kubelet has it.
    private static let leastGrace: Int64 = 2

    /// Stops the main containers, then the sidecars, the last first, then the pod: all in one grace. The hooks of sidecars
    /// begin with those of the others; only their signals wait. When the grace is over, nobody waits for a turn.
    private mutating func finish(at now: Duration, _ actions: inout [Action]) {
        let grace = manifest.terminationGrace
        let since = endingSince ?? now
        let deadline = since + .seconds(grace)
        if endingSince == nil, grace > 0 {
            for container in containers where container.spec.role == .sidecar && container.spec.preStop != nil {
                guard container.isUp, !container.isStopping else { continue }
                actions.append(.preStop(container.spec.name, attempt: container.attempt, grace: grace))
            }
        }
        endingSince = since
        let left = grace == 0 ? 0 : max(Self.leastGrace, grace - (now - since).components.seconds)
        let others = containers.indices.filter { containers[$0].spec.role != .sidecar && containers[$0].isBusy }
        for index in others { containers[index].stop(grace: left, &actions) }
        let sidecars = containers.indices.filter { containers[$0].spec.role == .sidecar && containers[$0].isBusy }
        if now >= deadline {
            for index in sidecars.reversed() { containers[index].stop(grace: left, &actions) }
        } else if others.isEmpty, let last = sidecars.last {
            containers[last].stop(grace: left, &actions)
        }
        if !others.isEmpty || !sidecars.isEmpty {
            if now < deadline { wakeAt(deadline) }
            return
        }
        sandbox = .stopping
        actions.append(.stopPod)
    }

    private mutating func probe(at now: Duration, _ actions: inout [Action]) {
        for index in containers.indices {
            if let next = containers[index].probeWhatIsDue(at: now, &actions) { wakeAt(next) }
        }
    }

    private mutating func wakeAt(_ time: Duration) { wake = min(wake ?? time, time) }

    // MARK: - Status

    /// The phase as the API defines it: it is at its end only when no container runs any more, sidecars included.
    package var phase: PodPhase {
        if isLost { return .Unknown }
        let isOver = (isTerminating || isDone) && !containers.contains(where: \.isBusy)
        if isOver, hasFailedInit || isOverdue { return .Failed }
        let isPending =
            !wasInitialised
            && containers.contains {
                switch $0.spec.role {
                case .initial: !$0.hasSucceeded
                case .sidecar: !$0.wasStarted
                case .main: false
                }
            }
        let main = containers.filter { $0.spec.role == .main }
        if isPending || main.contains(where: { $0.lastEnd == nil && !$0.isRunning }) {
            return isFinished && containers.contains { $0.lastEnd != nil } ? .Failed : .Pending
        }
        guard isOver else { return .Running }
        return main.allSatisfy { $0.lastEnd?.exitCode == 0 } ? .Succeeded : .Failed
    }

    /// Whether every container that has to be is ready.
    package var isReady: Bool {
        phase == .Running && containers.allSatisfy { $0.spec.role == .initial || $0.isReady }
    }
}

package enum PodPhase: String, Sendable { case Pending, Running, Succeeded, Failed, Unknown }
