import Lifecycle
import Model
import Synchronization
import TestFakes
import Testing

@Suite("Pods")
struct PodLifecycleTests {
    @Test("a pod that ran, stopped and was removed leaves nothing")
    func wholeLife() async throws {
        let bench = Bench()
        let pod = try await bench.runPod()
        let shown = try #require(try bench.runtime.inventory.pod(named: pod.short))
        #expect(shown.isReady)
        #expect(shown.record.addresses == ["10.0.0.2", "fd00::2"])
        try await bench.runtime.stopPod(pod.text)
        #expect(try bench.runtime.inventory.pod(named: pod.text)?.isReady == false)
        try await bench.runtime.stopPod(pod.text)
        try await bench.runtime.removePod(pod.text)
        #expect(bench.node.leftovers == [])
        #expect(try bench.runtime.inventory.pod(named: pod.text) == nil)
    }

    @Test("stopping and removing what does not exist succeeds")
    func unknown() async throws {
        let bench = Bench()
        try await bench.runtime.stopPod("0123")
        try await bench.runtime.removePod(PodID.random().text)
        try await bench.runtime.stopContainer("0123", timeout: .seconds(1))
        try await bench.runtime.removeContainer(ContainerID.random().text)
    }

    @Test("removing a ready pod stops it and its containers first")
    func removeRunning() async throws {
        let bench = Bench()
        let (pod, _) = try await bench.runContainer()
        try await bench.runtime.removePod(pod.text)
        #expect(bench.node.leftovers == [])
        #expect(bench.runtime.inventory.containers().isEmpty)
    }

    @Test("the same configuration gives the same pod, at once and afterwards; another one is refused")
    func retry() async throws {
        let bench = Bench()
        async let first = bench.runPod()
        async let second = bench.runPod()
        let (a, b) = try await (first, second)
        #expect(a == b)
        #expect(try await bench.runPod() == a)
        await #expect(throws: Fault.self) {
            _ = try await bench.runtime.runPod(Bench.pod { $0.labels = ["other": "yes"] }, hostname: "web")
        }
        #expect(bench.runtime.inventory.pods().count == 1)
    }

    @Test("a client that leaves does not stop the making, and its retry gets the pod")
    func clientLeaves() async throws {
        let bench = Bench()
        let reached = SharedOperation<Void>()
        let gate = SharedOperation<Void>()
        bench.node.state.withLock { $0.onStep = { _, name in if name == "spawn" { reached.finish(.success(())) } } }
        bench.node.state.withLock { $0.attachGate = gate }
        let client = Task { try await bench.runPod() }
        try await reached.value()
        client.cancel()
        await #expect(throws: Fault.self) { try await client.value }
        gate.finish(.success(()))
        let pod = try await bench.runPod()
        #expect(try bench.runtime.inventory.pod(named: pod.text)?.isReady == true)
        #expect(bench.node.state.withLock { $0.calls.filter { $0 == "spawn" }.count } == 1)
    }

    @Test("whichever step of making a pod fails, nothing is left and the same name works again")
    func failAtEach() async throws {
        var index = 0
        while true {
            let bench = Bench()
            let failing = index
            bench.node.state.withLock { state in
                state.onStep = { at, name in
                    if at == failing { throw Fault.internal("planted at \(name)") }
                }
            }
            do {
                _ = try await bench.runPod()
                let failed = bench.node.state.withLock { $0.calls.count } > failing
                #expect(!failed, "call \(failing) failed and RunPodSandbox succeeded")
                break
            } catch let fault as Fault {
                #expect(fault.description.contains("planted"))
            }
            #expect(bench.node.leftovers == [], "after a failure of call \(failing)")
            #expect(bench.runtime.inventory.pods().isEmpty)
            bench.node.state.withLock { $0.onStep = nil }
            _ = try await bench.runPod()
            index += 1
        }
        #expect(index >= 6)
    }

    @Test("a network that cannot be released leaves a stopped pod that a later stop releases")
    func releaseFails() async throws {
        let bench = Bench()
        let pod = try await bench.runPod()
        bench.node.state.withLock {
            $0.onStep = { _, name in if name == "release" { throw Fault.internal("planted") } }
        }
        await #expect(throws: Fault.self) { try await bench.runtime.stopPod(pod.text) }
        #expect(try bench.runtime.inventory.pod(named: pod.text)?.isReady == false)
        #expect(bench.node.leftovers.contains { $0.hasPrefix("network of") })
        #expect(!bench.node.leftovers.contains { $0.hasPrefix("supervisor") })
        bench.node.state.withLock { $0.onStep = nil }
        try await bench.runtime.stopPod(pod.text)
        try await bench.runtime.removePod(pod.text)
        #expect(bench.node.leftovers == [])
    }

    @Test("when both making and undoing fail, the pod can be seen, stopped and removed")
    func undoFails() async throws {
        let bench = Bench()
        bench.node.state.withLock { state in
            state.onStep = { _, name in if name == "attach" || name == "release" { throw Fault.internal("planted") } }
        }
        await #expect(throws: Fault.self) { try await bench.runPod() }
        let left = try #require(bench.runtime.inventory.pods().first)
        #expect(!left.isReady)
        bench.node.state.withLock { $0.onStep = nil }
        try await bench.runtime.stopPod(left.record.id.text)
        try await bench.runtime.removePod(left.record.id.text)
        #expect(bench.node.leftovers == [])
    }

    @Test("a pod whose supervisor dies is not ready, and its containers have ended")
    func supervisorDies() async throws {
        let bench = Bench()
        let (pod, container) = try await bench.runContainer()
        bench.node.state.withLock { $0.supervisors[pod] = nil }
        await bench.node.emit(.lost, from: pod)
        #expect(try bench.runtime.inventory.pod(named: pod.text)?.isReady == false)
        let exit = try #require(try bench.container(container)?.exit)
        #expect(exit.code == 137)
        #expect(exit.reason == "SupervisorLost")
        try await bench.runtime.removePod(pod.text)
        #expect(bench.node.leftovers == [])
    }

    @Test("a pod that shares its PID namespace ends with its init")
    func initEnds() async throws {
        let bench = Bench()
        let pod = try await bench.runtime.runPod(Bench.pod { $0.namespaces.pid = .pod }, hostname: "web")
        #expect(bench.node.state.withLock { $0.supervisors[pod]?["init"] } != nil)
        await bench.node.end(pod, process: "init", code: 137)
        #expect(try bench.runtime.inventory.pod(named: pod.text)?.isReady == false)
        try await bench.runtime.removePod(pod.text)
        #expect(bench.node.leftovers == [])
    }

    @Test("ids are found by unique prefixes and ambiguous ones are refused")
    func prefixes() async throws {
        let bench = Bench()
        var pods: [PodID] = []
        for number in 0..<20 { pods.append(try await bench.runPod("p\(number)")) }
        for pod in pods { #expect(try bench.runtime.inventory.pod(named: pod.text)?.record.id == pod) }
        // 20 ids share 16 first digits: at least two have the same.
        let firsts = Dictionary(grouping: pods) { $0.text.prefix(1) }
        let shared = try #require(firsts.first { $0.value.count > 1 }?.key)
        #expect(throws: Fault.self) { try bench.runtime.inventory.pod(named: String(shared)) }
        #expect(try bench.runtime.inventory.pod(named: "") == nil)
        #expect(try bench.runtime.inventory.pod(named: "xyz") == nil)
    }
}
