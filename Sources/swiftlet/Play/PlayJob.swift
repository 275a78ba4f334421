import CLICore
import CRIProto
import Foundation
import Linux
import Play
import UnixSignals

/// The life of `swiftlet play`: all pods of a file, watched and shown until they have come to their end.
struct PlayJob: Sendable {
    private enum Event: Sendable {
        case signal(UnixSignal)
        case readerGone
        case ended
        /// All pods are ready or at their end.
        case settled
        case failed(any Error)
    }

    /// How often the runtime is asked for the states of pods and containers.
    private static let watchPause = Duration.milliseconds(200)

    private let session: Session
    private let backOffScale: Double
    private let credentials: Runtime_V1_AuthConfig?
    private let pods: [PlannedPod]
    private let node: NodeFacts
    private let detaches: Bool

    /// `detaches` leaves the pods when all are ready or at their end.
    init(
        session: Session, pods: [PlannedPod], node: NodeFacts, backOffScale: Double,
        credentials: Runtime_V1_AuthConfig?, detaches: Bool
    ) {
        self.detaches = detaches
        self.session = session
        self.backOffScale = backOffScale
        self.credentials = credentials
        self.pods = pods
        self.node = node
    }

    /// The uids that were given to the pods.
    var uids: Set<String> { Set(pods.map(\.plan.uid)) }

    /// Removes what was made on the disk for pods that are not there.
    func removeDirectories() throws(Failure) { for pod in pods { try pod.plan.directory.remove() } }

    /// Runs all pods to their end; fails unless all succeeded. Tells what became of them, however it ends.
    func run(_ tell: ([PlayStatus]) -> Void) async throws {
        var locks: [PodLock] = []
        for pod in pods {
            let plan = pod.plan
            if let adopted = pod.adopted {
                locks.append(adopted.lock)
                continue
            }
            let facts = PodFacts(uid: plan.uid, ip: "", nodeName: node.name, nodeIP: node.ip)
            let runtime = session.runtime.endpoint.description
            locks.append(
                try plan.directory.make(
                    plan.manifest, plan.pod, facts, nodeMemoryBytes: node.memoryBytes, runtime: runtime))
        }
        defer { withExtendedLifetime(locks) {} }
        let (events, source) = AsyncStream.makeStream(of: Event.self)
        let isLive = session.console.errorIsTerminal && StandardStream.output.isTerminal
        let screen = PlayScreen(
            console: session.console, pods: pods.count, size: isLive ? Self.terminalSize : nil,
            onFailure: { source.yield(.readerGone) })
        let players = pods.enumerated().map { index, pod in
            PodPlayer(
                pod.plan, adopted: pod.adopted, at: index, session: session, screen: screen, backOffScale: backOffScale,
                credentials: credentials, node: node)
        }
        for pod in pods where pod.adopted != nil {
            await screen.note("\(pod.plan.name): taken over, since it is there")
        }
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await supervise(players, events, source))
        } catch {
            outcome = .failure(error)
        }
        var statuses: [PlayStatus] = []
        for player in players { statuses.append(await player.status) }
        tell(statuses)
        try outcome.get()
        if let failure = await screen.failure { throw failure }
        guard statuses.allSatisfy({ $0.machine.phase == .Succeeded || detaches && $0.machine.isReady }) else {
            throw Failure.silent(exitStatus: Failure.failed)
        }
    }

    private static func terminalSize() -> (rows: Int, columns: Int)? {
        RawTerminal.size.map { (Int($0.rows), Int($0.columns)) }
    }

    // MARK: - Signals

    private func supervise(
        _ players: [PodPlayer], _ events: AsyncStream<Event>, _ source: AsyncStream<Event>.Continuation
    ) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await signal in signals { source.yield(.signal(signal)) } }
            group.addTask {
                do { try await watch(players, onceSettled: { source.yield(.settled) }) } catch {
                    source.yield(.failed(error))
                }
            }
            group.addTask {
                await withTaskGroup(of: Void.self) { pods in
                    for player in players { pods.addTask { await player.run() } }
                }
                source.yield(.ended)
            }
            defer { group.cancelAll() }
            var first: UnixSignal?
            var count = 0
            for await event in events {
                switch event {
                case .ended:
                    guard let first else { return }
                    throw Failure.silent(exitStatus: 128 + first.rawValue)
                case .settled: if detaches, first == nil { return }
                case .failed(let error): throw error
                case .readerGone: for player in players { await player.terminate() }
                case .signal(let signal):
                    first = first ?? signal
                    count += 1
                    try await interrupt(players, count, signal)
                }
            }
            throw CancellationError()
        }
    }

    private func interrupt(_ players: [PodPlayer], _ count: Int, _ signal: UnixSignal) async throws {
        let words: String
        switch count {
        case 1:
            words = "stopping the pods; once more kills them"
            for player in players { await player.terminate() }
        case 2:
            words = "killing what still runs; once more gives up waiting"
            for player in players { await player.kill() }
        default: throw Failure("gave up waiting for the pods", exitStatus: 128 + signal.rawValue)
        }
        await players.first?.screen.note(words)
    }

    // MARK: - Watching

    /// Looks at all pods and containers again and again, until the task is cancelled.
    private func watch(_ players: [PodPlayer], onceSettled: @Sendable () -> Void) async throws {
        var wasSettled = false
        while !Task.isCancelled {
            let time = ContinuousClock.now
            let containers = Dictionary(try await session.playedContainers().map { ($0.id, $0.state) }) { $1 }
            let pods = Dictionary(try await session.playedPods().map { ($0.id, $0.state) }) { $1 }
            var isSettled = true
            for player in players {
                await player.observe(containers, pods, at: time)
                if await !player.isSettled { isSettled = false }
            }
            if isSettled, !wasSettled { onceSettled() }
            wasSettled = isSettled
            do { try await Task.sleep(for: Self.watchPause) } catch { return }
        }
    }
}
