import Lifecycle
import Model
import Synchronization
import TestFakes
import Testing

/// Every pair of calls that change something, at once on one object.
@Suite("Pairs of calls", .timeLimit(.minutes(10)))
struct PairTests {
    enum Call: String, Sendable, CaseIterable {
        case runPod, stopPod, removePod, create, start, stop, remove, update

        /// How it ends does not matter here, only what it leaves.
        func make(on bench: Bench, _ stage: Stage) async {
            do {
                let runtime = bench.runtime
                switch self {
                case .runPod: _ = try await bench.runPod()
                case .stopPod: try await runtime.stopPod(stage.pod.text)
                case .removePod: try await runtime.removePod(stage.pod.text)
                case .create:
                    _ = try await runtime.createContainer(inPod: stage.pod.text, config: Bench.container("second"))
                case .start: try await runtime.startContainer(stage.container.text)
                case .stop: try await runtime.stopContainer(stage.container.text, timeout: .seconds(10))
                case .remove: try await runtime.removeContainer(stage.container.text)
                case .update:
                    var change = LinuxResources()
                    change.cpuShares = 512
                    try await runtime.update(stage.container.text, resources: change)
                }
            } catch {
                return
            }
        }
    }

    /// A ready pod with a container that is created, runs, or has ended.
    struct Stage: Sendable {
        enum Kind: String, Sendable, CaseIterable { case created, running, exited }
        var pod: PodID
        var container: ContainerID

        init(_ kind: Kind, on bench: Bench) async throws {
            pod = try await bench.runPod()
            container = try await bench.runtime.createContainer(inPod: pod.text, config: Bench.container())
            if kind == .created { return }
            try await bench.runtime.startContainer(container.text)
            if kind == .exited { await bench.node.end(pod, process: container.text, code: 7) }
        }
    }

    static let pairs = Stage.Kind.allCases.flatMap { kind in
        Call.allCases.enumerated().flatMap { index, first in
            Call.allCases[index...].map { (kind, first, $0) }
        }
    }

    @Test("two calls at once leave what one after the other does, and nothing hangs or stays", arguments: pairs)
    func pair(_ kind: Stage.Kind, _ first: Call, _ second: Call) async throws {
        var serial: Set<String> = []
        for (one, two) in [(first, second), (second, first)] {
            serial.insert(
                try await Self.outcome(kind) { bench, stage in
                    await one.make(on: bench, stage)
                    await two.make(on: bench, stage)
                })
        }
        for head in [0, 1, 3, 8, 20] {
            let outcome = try await Self.outcome(kind) { bench, stage in
                await withTaskGroup { group in
                    group.addTask { await first.make(on: bench, stage) }
                    group.addTask {
                        // Later and later in the course of the first one.
                        for _ in 0..<head { await Task.yield() }
                        await second.make(on: bench, stage)
                    }
                }
            }
            #expect(serial.contains(outcome), "\(outcome) is none of \(serial)")
        }
    }

    /// What is visible after the calls; then all of it is removed, and nothing may stay on the node.
    private static func outcome(
        _ kind: Stage.Kind, _ calls: (Bench, Stage) async -> Void
    ) async throws -> String {
        let bench = Bench()
        let stage = try await Stage(kind, on: bench)
        await calls(bench, stage)
        let inventory = bench.runtime.inventory
        var found = inventory.pods().map { "pod \($0.isReady ? "ready" : "not ready")" }.sorted()
        found += inventory.containers().map { container in
            let state =
                switch container.state {
                case .created: "created"
                case .starting: "starting"
                case .running: "running"
                case .exited: "exited"
                case .removing, .removed: "removing"
                }
            return "\(container.record.config.metadata.name) \(state) \(container.record.config.resources.cpuShares)"
        }.sorted()
        for pod in inventory.pods() { try await bench.runtime.removePod(pod.record.id.text) }
        #expect(bench.node.leftovers == [], "\(found)")
        #expect(inventory.pods().isEmpty && inventory.containers().isEmpty)
        return found.joined(separator: ", ")
    }

    @Test("calls that are repeated while they run get one result: nothing says that a name is taken")
    func retries() async throws {
        for _ in 0..<20 {
            let bench = Bench()
            let pods = try await Self.eight { try await bench.runPod() }
            #expect(pods.count == 1)
            let pod = try #require(pods.first)
            let containers = try await Self.eight {
                try await bench.runtime.createContainer(inPod: pod.text, config: Bench.container())
            }
            #expect(containers.count == 1)
            #expect(bench.runtime.inventory.pods().count == 1 && bench.runtime.inventory.containers().count == 1)
            try await bench.runtime.removePod(pod.text)
            #expect(bench.node.leftovers == [])
        }
    }

    private static func eight<Value: Hashable & Sendable>(
        _ call: @escaping @Sendable () async throws -> Value
    ) async throws -> Set<Value> {
        try await withThrowingTaskGroup { group in
            for _ in 0..<8 { group.addTask { try await call() } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
    }
}
