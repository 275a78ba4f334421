/// How a container ended.
package struct Termination: Equatable, Sendable {
    package var exitCode: Int32
    package var reason: String
    package var message: String
    /// Nanoseconds since 1970.
    package var startedAt: Int64
    package var finishedAt: Int64

    package init(exitCode: Int32, reason: String, message: String = "", startedAt: Int64 = 0, finishedAt: Int64 = 0) {
        self.exitCode = exitCode
        self.reason = reason
        self.message = message
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }
}

package enum ContainerState: Equatable, Sendable {
    case waiting(reason: String, message: String)
    case running
    case terminated(Termination)
}

/// One container of a pod, from attempt to attempt.
package struct ContainerProgress: Sendable {
    private struct Probing: Sendable {
        var next: Duration
        var isUnderWay = false
        var successes: Int64 = 0
        var failures: Int64 = 0
    }

    package let spec: ContainerManifest
    package private(set) var state: ContainerState
    /// The end before the present state.
    package private(set) var previousEnd: Termination?
    package private(set) var restarts = 0
    package private(set) var attempt = 0
    package private(set) var isReady = false
    /// Up, its hook done and its startup probe passed.
    package private(set) var isStarted = false
    /// Whether it was ever started: a sidecar that restarts does not hold the pod back.
    private(set) var wasStarted = false
    /// Whether it is to run once more although it has succeeded: its pod is made anew.
    private var isNeededAgain = false
    private(set) var isLaunching = false
    /// Whether its process runs: shown as running only when the hook after its start is done.
    private(set) var isUp = false
    /// Whether a probe has ended the present or last attempt: it starts again whatever its exit code is.
    private(set) var wasEndedByProbe = false
    private(set) var backOff: BackOff
    /// For attempts that could not be made; a pull that succeeds at last says nothing about the container.
    private var launchBackOff: BackOff
    private let freshBackOff: BackOff
    private var hasFailedToLaunch = false
    private var hasAttempted = false
    private(set) var isStopping = false
    private var hookIsUnderWay = false
    private var since = Duration.zero
    private var failedAt = Duration.zero
    private var probes: [ProbeKind: Probing] = [:]

    init(_ spec: ContainerManifest, waiting reason: String, _ backOff: BackOff) {
        self.spec = spec
        state = .waiting(reason: reason, message: "")
        self.backOff = backOff
        launchBackOff = backOff
        freshBackOff = backOff
    }

    /// Takes over what an earlier run of the program has started. A hook that it may have is not run twice.
    mutating func adopt(_ found: FoundContainer, at now: Duration) {
        attempt = found.attempt
        restarts = found.restarts
        previousEnd = found.previousEnd
        hasAttempted = true
        backOff.adopt(restarts: found.restarts, at: now - found.runAge)
        switch found.state {
        case .running:
            isUp = true
            state = .running
            since = now - found.runAge
            beginProbes(at: now)
        case .ended(let end, let age):
            state = .terminated(end)
            backOff.noteEnd(at: now - age)
        }
    }

    /// Prepares an init container for a pod that is made anew: what it has set up may be gone.
    mutating func needAgain() {
        guard case .terminated(let end) = state else { return }
        previousEnd = end
        state = .waiting(reason: "PodInitializing", message: "")
        isNeededAgain = true
    }

    /// For a sidecar of a pod whose main containers were started already.
    mutating func noteWasStarted() { wasStarted = true }

    /// How many restarts there will be with the next start.
    package var restartsNext: Int { restarts + (previousEnd != nil || isTerminated ? 1 : 0) }

    var isRunning: Bool { state == .running }
    var isBusy: Bool { isUp || isLaunching }
    /// Whether the start of another container waits for this one, as a kubelet starts those of a pod in turn.
    var isSettling: Bool { isLaunching || hookIsUnderWay }
    /// When the next start may be.
    var notBefore: Duration { max(backOff.notBefore, launchBackOff.notBefore) }
    var isTerminated: Bool {
        if case .terminated = state { return true }
        return false
    }
    /// How the last attempt ended; nothing while it runs or before the first.
    var lastEnd: Termination? {
        if isNeededAgain { return nil }
        if case .terminated(let end) = state { return end }
        return isRunning ? nil : previousEnd
    }
    var hasSucceeded: Bool { isTerminated && lastEnd?.exitCode == 0 }

    // MARK: - Starting

    mutating func launch(at now: Duration) -> PodMachine.Action {
        if hasAttempted {
            attempt += 1
            if hasFailedToLaunch { launchBackOff.noteRestart(at: now) } else { backOff.noteRestart(at: now) }
        }
        hasAttempted = true
        isLaunching = true
        isStopping = false
        return .launch(spec.name, attempt: attempt)
    }

    mutating func begin(at now: Duration, _ actions: inout [PodMachine.Action]) {
        guard isLaunching else { return }
        isLaunching = false
        hasFailedToLaunch = false
        launchBackOff = freshBackOff
        wasEndedByProbe = false
        isNeededAgain = false
        isUp = true
        since = now
        if case .terminated(let end) = state { previousEnd = end }
        // Why it waited before is over.
        if state != .waiting(reason: "PodInitializing", message: "") {
            state = .waiting(reason: "ContainerCreating", message: "")
        }
        if previousEnd != nil { restarts += 1 }
        if spec.postStart != nil {
            hookIsUnderWay = true
            actions.append(.postStart(spec.name, attempt: attempt))
        } else {
            state = .running
            beginProbes(at: now)
        }
    }

    mutating func failLaunch(_ reason: String, _ message: String, at now: Duration) {
        guard isLaunching else { return }
        isLaunching = false
        failedAt = now
        if reason == "RunContainerError" || reason == "StartError" {
            return close(Termination(exitCode: 128, reason: "StartError", message: message), at: now)
        }
        if case .terminated(let end) = state { previousEnd = end }
        state = .waiting(reason: reason, message: message)
        hasFailedToLaunch = true
        if launchBackOff.period == .zero { launchBackOff.noteRestart(at: now) }
        launchBackOff.noteEnd(at: now)
    }

    mutating func endHook(
        _ isGood: Bool, grace: Int64, at now: Duration, _ actions: inout [PodMachine.Action]
    ) {
        guard hookIsUnderWay, isUp else { return }
        hookIsUnderWay = false
        if isGood {
            state = .running
            // Stopped meanwhile, it is not probed.
            if !isStopping { beginProbes(at: now) }
        } else {
            state = .waiting(reason: "PostStartHookError", message: "")
            stop(grace: grace, &actions)
        }
    }

    // MARK: - Ending

    mutating func stop(grace: Int64, _ actions: inout [PodMachine.Action]) {
        guard isUp, !isStopping else { return }
        isStopping = true
        isReady = false
        probes = [:]
        actions.append(.stop(spec.name, attempt: attempt, grace: grace))
    }

    mutating func end(_ end: Termination, at now: Duration) {
        guard isUp else { return }
        close(end, at: now)
    }

    private mutating func close(_ end: Termination, at now: Duration) {
        if case .terminated(let before) = state { previousEnd = before }
        state = .terminated(end)
        isUp = false
        isReady = false
        isStarted = false
        hookIsUnderWay = false
        probes = [:]
        backOff.noteEnd(at: now)
    }

    /// Shows why a container that is due does not start yet.
    mutating func showBackOff(at now: Duration, pod: String) {
        switch state {
        case .terminated(let end):
            previousEnd = end
            state = .waiting(
                reason: "CrashLoopBackOff",
                message: "back-off \(backOff.text) restarting failed container=\(spec.name) pod=\(pod)")
        case .waiting("ErrImagePull", let message) where now > failedAt:
            state = .waiting(reason: "ImagePullBackOff", message: message)
        case .waiting, .running: return
        }
    }

    // MARK: - Probes

    private mutating func beginProbes(at now: Duration) {
        if let startup = spec.startup {
            probes[.startup] = Probing(next: since + .seconds(startup.initialDelay))
        } else {
            becomeStarted(at: now)
        }
    }

    private mutating func becomeStarted(at now: Duration) {
        isStarted = true
        wasStarted = true
        isReady = spec.readiness == nil
        for kind in [ProbeKind.liveness, .readiness] {
            guard let probe = spec.probe(kind) else { continue }
            probes[kind] = Probing(next: max(now, since + .seconds(probe.initialDelay)))
        }
    }

    /// Begins the probes that are due; returns when the next one is.
    mutating func probeWhatIsDue(at now: Duration, _ actions: inout [PodMachine.Action]) -> Duration? {
        var next: Duration?
        for kind in ProbeKind.allCases {
            guard var probing = probes[kind], !probing.isUnderWay else { continue }
            if probing.next <= now {
                probing.isUnderWay = true
                probes[kind] = probing
                actions.append(.probe(spec.name, attempt: attempt, kind))
            } else {
                next = min(next ?? probing.next, probing.next)
            }
        }
        return next
    }

    mutating func note(
        _ kind: ProbeKind, _ isGood: Bool, grace: Int64, at now: Duration, _ actions: inout [PodMachine.Action]
    ) {
        guard var probing = probes[kind], probing.isUnderWay, let probe = spec.probe(kind), isUp else { return }
        probing.isUnderWay = false
        // Periods are counted from when the probe was due, so that slow ones do not drift.
        let due = probing.next + .seconds(probe.period)
        probing.next = max(due, now)
        probing.successes = isGood ? probing.successes + 1 : 0
        probing.failures = isGood ? 0 : probing.failures + 1
        probes[kind] = probing
        if isGood, probing.successes >= probe.successThreshold {
            switch kind {
            case .startup:
                probes[.startup] = nil
                becomeStarted(at: now)
            case .readiness: isReady = true
            case .liveness: return
            }
        } else if !isGood, probing.failures >= probe.failureThreshold {
            switch kind {
            case .startup, .liveness:
                wasEndedByProbe = true
                stop(grace: probe.terminationGrace ?? grace, &actions)
            case .readiness: isReady = false
            }
        }
    }
}
