import CLICore
import CRIProto
import GRPC
import Play
import SwiftProtobuf

/// Drives one pod: brings events to the machine that decides, and carries out what it decides.
actor PodPlayer {
    /// A container that has been started and whose end has not been seen.
    struct Live {
        var name: String
        var attempt: Int
        var since: ContinuousClock.Instant
    }

    private enum Input: Sendable {
        case event(PodMachine.Event)
        case kill
    }

    let plan: PodPlan
    let session: Session
    let screen: PlayScreen
    private let index: Int
    let credentials: Runtime_V1_AuthConfig?
    private let node: NodeFacts
    private let origin = ContinuousClock.now
    private let inputs: AsyncStream<Input>
    private let source: AsyncStream<Input>.Continuation
    private var machine: PodMachine
    var live: [String: Live] = [:]
    /// Attempt to id, for those that may still be there.
    private var made: [String: [Int: String]] = [:]
    /// The latest hook of each container that runs after its start, or has run.
    var startHooks: [String: Task<Void, Never>] = [:]
    /// Those that run before the end of a sidecar, whose turn comes later.
    var stopHooks: [String: Task<Void, Never>] = [:]
    var pulls: [String: Task<Runtime_V1_Image, any Error>] = [:]
    private(set) var podID: String?
    private(set) var podIP = ""
    private var podSince: ContinuousClock.Instant?
    private(set) var isTerminating = false
    private(set) var isKilling = false
    private var scheduled: Duration?

    init(
        _ plan: PodPlan, adopted: AdoptedPod?, at index: Int, session: Session, screen: PlayScreen,
        backOffScale: Double, credentials: Runtime_V1_AuthConfig?, node: NodeFacts
    ) {
        self.plan = plan
        self.index = index
        self.session = session
        self.screen = screen
        self.credentials = credentials
        self.node = node
        (inputs, source) = AsyncStream.makeStream(of: Input.self)
        guard let adopted else {
            machine = PodMachine(plan.pod, backOffScale: backOffScale)
            return
        }
        machine = PodMachine(
            adopting: plan.pod, adopted.containers, podAge: adopted.age, at: .zero, backOffScale: backOffScale)
        podID = adopted.id
        podIP = adopted.ip
        podSince = origin
        isTerminating = adopted.isEnding
        made = adopted.made
        for container in adopted.containers {
            guard case .running = container.state, let id = made[container.name]?[container.attempt] else { continue }
            live[id] = Live(name: container.name, attempt: container.attempt, since: origin)
        }
    }

    /// Whether there is nothing to wait for: the pod is ready or has come to its end.
    var isSettled: Bool { machine.isReady || machine.isFinished }

    var status: PlayStatus {
        let ids = made.compactMapValues { attempts in attempts.max { $0.key < $1.key }?.value }
        return PlayStatus(plan: plan, machine: machine, ip: podIP, ids: ids)
    }

    /// Runs the pod to its end, or until the task is cancelled.
    func run() async {
        send(isTerminating ? .terminate : .tick)
        await withDiscardingTaskGroup { group in
            for await input in inputs {
                switch input {
                case .kill: for id in live.keys { group.addTask { await self.kill(id) } }
                case .event(let event):
                    if case .tick = event { scheduled = nil }
                    let actions = machine.handle(event, at: ContinuousClock.now - origin)
                    if machine.isOverdue, !isTerminating { endPulls() }
                    await screen.show(machine.snapshot, at: index)
                    for action in actions {
                        beginStopHook(action)
                        group.addTask { await self.perform(action) }
                    }
                    if let wake = machine.wake, wake != scheduled {
                        scheduled = wake
                        group.addTask { await self.tick(at: wake) }
                    }
                }
                if machine.isFinished { break }
            }
            group.cancelAll()
        }
    }

    // MARK: - From outside

    /// Ends the pod as the deletion of it would: hooks, grace, sidecars last.
    func terminate() {
        plan.directory.noteEnding()
        endPulls()
        send(.terminate)
    }

    /// Nothing is pulled any more for a pod that ends.
    private func endPulls() {
        isTerminating = true
        for pull in pulls.values { pull.cancel() }
    }

    /// Ends everything at once.
    func kill() {
        isKilling = true
        source.yield(.kill)
    }

    /// Compares what the runtime has with what this pod has started; `time` is when the runtime was asked.
    func observe(
        _ containers: [String: Runtime_V1_ContainerState], _ pods: [String: Runtime_V1_PodSandboxState],
        at time: ContinuousClock.Instant
    ) async {
        // The pod first: what ends with it did not fail by itself.
        if let podID, let podSince, podSince < time, pods[podID] != .sandboxReady {
            self.podSince = nil
            send(.podLost)
        }
        for (id, container) in live where container.since < time {
            if containers[id] == .containerRunning { continue }
            await look(id)
        }
    }

    // MARK: - Actions

    func send(_ event: PodMachine.Event) { source.yield(.event(event)) }

    func say(_ text: String) async { await screen.note("\(plan.name)\(text)") }

    private func tick(at wake: Duration) async {
        do { try await Task.sleep(until: origin + wake) } catch { return }
        send(.tick)
    }

    private func perform(_ action: PodMachine.Action) async {
        switch action {
        case .runPod: await runPod()
        case .launch(let name, let attempt): await launch(name, attempt)
        case .postStart(let name, let attempt):
            let hook = Task { await postStart(name, attempt) }
            startHooks[name] = hook
            await withTaskCancellationHandler {
                await hook.value
            } onCancel: {
                hook.cancel()
            }
        case .probe(let name, let attempt, let kind): await probe(name, attempt, kind)
        case .preStop(let name, _, _):
            guard let hook = stopHooks[name] else { return }
            await withTaskCancellationHandler {
                await hook.value
            } onCancel: {
                hook.cancel()
            }
        case .stop(let name, let attempt, let grace): await stop(name, attempt, grace: grace)
        case .stopPod: await stopPod()
        }
    }

    /// Takes away a sandbox that is not ready any more; what ended with it is told before the new one is there.
    private func removeOldPod() async {
        guard let podID else { return }
        await persistently("stop the old pod") { try await self.session.stopPod(podID) }
        for id in live.keys { await look(id) }
        await persistently("remove the old pod") { try await self.session.removePod(podID) }
        made = [:]
        self.podID = nil
    }

    private func runPod() async {
        await removeOldPod()
        do {
            let id = try await session.runPod(
                plan.sandbox, handler: plan.pod.runtimeHandler, within: session.slowest)
            podID = id
            podIP = try await session.podIP(id)
            podSince = .now
            send(.podStarted)
        } catch {
            // The next try is a new pod.
            await removeOldPod()
            send(.podFailed("\(error)"))
        }
    }

    private func stopPod() async {
        podSince = nil
        if let podID {
            await persistently("stop the pod") { try await self.session.stopPod(podID) }
        }
        for id in live.keys { await look(id) }
        // Nothing sees them any more.
        do { try plan.directory.unmount() } catch { await say(": \(error)") }
        send(.podStopped)
    }

    private func launch(_ name: String, _ attempt: Int) async {
        guard let spec = spec(name), let podID else { return }
        func fail(_ reason: String, _ error: any Error) {
            send(.launchFailed(name, attempt: attempt, reason: reason, message: "\(error)"))
        }
        let image: Runtime_V1_Image
        do { image = try await self.image(spec) } catch {
            let isAbsent = spec.pullPolicy == .Never
            return fail(isAbsent ? "ErrImageNeverPull" : "ErrImagePull", error)
        }
        await removeOld(name, before: attempt - 1)
        let facts = PodFacts(
            uid: plan.uid, ip: plan.pod.hostNetwork ? node.ip : podIP, nodeName: node.name, nodeIP: node.ip)
        let config: Runtime_V1_ContainerConfig
        do {
            let restarts = machine.containers.first { $0.spec.name == name }?.restartsNext ?? attempt
            config = try plan.container(spec, attempt: attempt, restarts: restarts, image: image, facts: facts)
            try plan.directory.makeMessage(name, attempt)
            try plan.directory.makeHosts(
                plan.pod.hostsFile(ip: podIP, node: node.hosts))
            try plan.mountSubPaths(of: spec, facts: facts)
        } catch {
            return fail("CreateContainerConfigError", error)
        }
        let id: String
        do {
            id = try await session.createContainer(config, in: podID, plan.sandbox, within: session.slow)
        } catch {
            return fail("CreateContainerError", error)
        }
        made[name, default: [:]][attempt] = id
        do {
            try await session.startContainer(id)
        } catch {
            return fail("RunContainerError", error)
        }
        live[id] = Live(name: name, attempt: attempt, since: .now)
        send(.started(name, attempt: attempt))
        if isKilling { await kill(id) }
    }

    /// A kubelet keeps the last attempt for its log, and no earlier ones.
    private func removeOld(_ name: String, before attempt: Int) async {
        for (old, id) in made[name] ?? [:] where old < attempt {
            do { try await session.removeContainer(id) } catch {
                await say("/\(name): \(error)")
                continue
            }
            made[name]?[old] = nil
            plan.directory.forget(name, old)
        }
    }

    /// Does again what has to succeed, with a pause, until it does or nobody waits any more.
    func persistently(_ what: String, _ body: @Sendable () async throws -> Void) async {
        while !Task.isCancelled {
            do { return try await body() } catch let failure as Failure where failure.code == .notFound {
                return
            } catch {
                if Task.isCancelled { return }
                await say(": \(what): \(error)")
            }
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
        }
    }

    func spec(_ name: String) -> ContainerManifest? { plan.pod.containers.first { $0.name == name } }

    func id(_ name: String, _ attempt: Int) -> String? {
        live.first { $0.value.name == name && $0.value.attempt == attempt }?.key
    }

    /// Where probes and hooks find the pod.
    var address: String { plan.pod.hostNetwork || podIP.isEmpty ? "127.0.0.1" : podIP }
}
