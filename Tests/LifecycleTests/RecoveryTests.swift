import Foundation
import LaunchProtocol
import Model
import Synchronization
import TestFakes
import Testing

@testable import Lifecycle

@Suite("Recovery")
struct RecoveryTests {
    /// A new daemon on the node of an old one.
    static func restart(_ node: FakeNode) async throws -> (Bench, RecoveryReport) {
        node.state.withLock { $0.onStep = nil }
        let bench = Bench(node: node)
        return (bench, try await bench.runtime.recover())
    }

    @Test("what runs is found running, with its times and names, and can be stopped")
    func running() async throws {
        let bench = Bench()
        let (pod, id) = try await bench.runContainer()
        let before = try #require(try bench.container(id))
        let (after, report) = try await Self.restart(bench.node)
        #expect(report.podsReady == 1)
        #expect(report.containersRunning == 1)
        #expect(try after.container(id)?.state == before.state)
        #expect(try after.runtime.inventory.pod(named: pod.text)?.isReady == true)
        #expect(try await after.runPod() == pod)
        try await after.runtime.stopContainer(id.text, timeout: .seconds(10))
        try await after.runtime.removePod(pod.text)
        #expect(bench.node.leftovers == [])
    }

    @Test("an exit that nobody saw has its real code and time")
    func exitMeanwhile() async throws {
        let bench = Bench()
        let (pod, id) = try await bench.runContainer()
        let silent = Bench(node: bench.node)
        bench.node.deliver(to: silent.runtime)
        await bench.node.end(pod, process: id.text, code: 42)
        let (after, _) = try await Self.restart(bench.node)
        let exit = try #require(try after.container(id)?.exit)
        #expect(exit.code == 42)
        #expect(exit.finishedAt == bench.node.state.withLock { $0.exitRecords.values.first?.exitedAtNanoseconds })
    }

    @Test("after a reboot pods are not ready, old exits stay and the rest is Unknown; networks are released")
    func reboot() async throws {
        let bench = Bench()
        let pod = try await bench.runPod()
        var ids: [ContainerID] = []
        for name in ["done", "running", "created"] {
            let id = try await bench.runtime.createContainer(inPod: pod.text, config: Bench.container(name))
            if name != "created" { try await bench.runtime.startContainer(id.text) }
            if name == "done" { await bench.node.end(pod, process: id.text, code: 5) }
            ids.append(id)
        }
        bench.node.state.withLock { state in
            state.bootID = "boot-2"
            state.supervisors = [:]
            state.cgroups = []
            state.supervisorCgroups = []
        }
        let (after, report) = try await Self.restart(bench.node)
        #expect(report.podsStopped == 1)
        #expect(try after.runtime.inventory.pod(named: pod.text)?.isReady == false)
        #expect(try after.container(ids[0])?.exit?.code == 5)
        #expect(try after.container(ids[1])?.exit?.code == 255)
        #expect(try after.container(ids[1])?.exit?.reason == "Unknown")
        #expect(try after.container(ids[2])?.state == .created)
        #expect(bench.node.state.withLock { $0.attachments.isEmpty })
        try await after.runtime.removePod(pod.text)
        #expect(bench.node.leftovers == [])
    }

    @Test("a supervisor that died meanwhile leaves containers exited with 255 and SupervisorLost")
    func supervisorGone() async throws {
        let bench = Bench()
        let (pod, id) = try await bench.runContainer()
        bench.node.state.withLock { $0.supervisors = [:] }
        let (after, _) = try await Self.restart(bench.node)
        #expect(try after.container(id)?.exit?.reason == "SupervisorLost")
        #expect(try after.container(id)?.exit?.code == 255)
        let leaks = after.runtime.ports.leaks.counts.filter { $0.found > 0 }
        #expect(leaks == [.init(kind: .lostPod, moment: .recovery, found: 1, mended: 1)])
        try await after.runtime.removePod(pod.text)
        #expect(bench.node.leftovers == [])
    }

    /// An error that ends a daemon: whatever it would do next does not happen.
    struct Crash: Error {}

    @Test("a daemon that dies at any call of making a pod and a container leaves nothing that recovery does not settle")
    func crashAtEach() async throws {
        var index = 0
        var finished = false
        while !finished {
            let node = FakeNode()
            let bench = Bench(node: node)
            let dying = index
            // From the dying call on, every call fails: the undo of the dead daemon does not run either.
            node.state.withLock { $0.onStep = { at, _ in if at >= dying { throw Crash() } } }
            do {
                let (pod, container) = try await bench.runContainer()
                try await bench.runtime.stopContainer(container.text, timeout: .zero)
                try await bench.runtime.removePod(pod.text)
                finished = true
            } catch {
                #expect(node.state.withLock { $0.calls.count } > dying)
            }
            let (after, _) = try await Self.restart(node)
            for pod in after.runtime.inventory.pods() { try await after.runtime.removePod(pod.record.id.text) }
            #expect(node.leftovers == [], "after a crash at call \(dying)")
            #expect(after.runtime.ports.leaks.counts.allSatisfy { $0.found == $0.mended }, "after a crash at \(dying)")
            #expect(after.runtime.inventory.containers().isEmpty)
            index += 1
        }
        #expect(index > 15)
    }
}
