import LaunchProtocol
import Lifecycle
import Model
import Synchronization
import TestFakes
import Testing

@Suite("Containers")
struct ContainerLifecycleTests {
    @Test("a container is created, runs, exits, and is removed without a trace")
    func wholeLife() async throws {
        let bench = Bench()
        let pod = try await bench.runPod()
        let id = try await bench.runtime.createContainer(inPod: pod.text, config: Bench.container())
        #expect(try bench.container(id)?.state == .created)
        #expect(bench.node.state.withLock { $0.supervisors[pod]?.isEmpty } == true)
        try await bench.runtime.startContainer(id.text)
        guard case .running = try bench.container(id)?.state else {
            Issue.record("not running")
            return
        }
        await bench.node.end(pod, process: id.text, code: 3)
        let exit = try #require(try bench.container(id)?.exit)
        #expect(exit.code == 3)
        #expect(exit.reason == "Error")
        #expect(exit.startedAt < exit.finishedAt)
        try await bench.runtime.removeContainer(id.text)
        try await bench.runtime.removePod(pod.text)
        #expect(bench.node.leftovers == [])
    }

    @Test(
        "the reason of an exit follows its code and the out-of-memory count",
        arguments: [(0, 0, "Completed"), (1, 0, "Error"), (137, 0, "Error"), (137, 1, "OOMKilled"), (1, 2, "Error")]
            as [(Int32, UInt64, String)])
    func reasons(code: Int32, oomKills: UInt64, reason: String) async throws {
        let bench = Bench()
        let (pod, id) = try await bench.runContainer()
        await bench.node.end(pod, process: id.text, code: code, oomKills: oomKills)
        #expect(try bench.container(id)?.exit?.reason == reason)
    }

    @Test("an unknown image, an unknown pod and a stopped pod are refused before anything is made")
    func refusals() async throws {
        let bench = Bench()
        let pod = try await bench.runPod()
        let before = bench.node.leftovers
        await #expect {
            _ = try await bench.runtime.createContainer(inPod: pod.text, config: Bench.container(image: "no"))
        } throws: { ($0 as? Fault)?.code == .failedPrecondition }
        await #expect {
            _ = try await bench.runtime.createContainer(inPod: "beef", config: Bench.container())
        } throws: {
            ($0 as? Fault)?.code == .notFound
        }
        let privileged = Bench.container { $0.security.privileged = true }
        await #expect { _ = try await bench.runtime.createContainer(inPod: pod.text, config: privileged) } throws: {
            ($0 as? Fault)?.code == .invalidArgument
        }
        #expect(bench.node.leftovers == before)
        try await bench.runtime.stopPod(pod.text)
        await #expect {
            _ = try await bench.runtime.createContainer(inPod: pod.text, config: Bench.container())
        } throws: {
            ($0 as? Fault)?.code == .failedPrecondition
        }
    }

    @Test("the same configuration gives the same container; another one of that name is refused")
    func retry() async throws {
        let bench = Bench()
        let pod = try await bench.runPod()
        async let first = bench.runtime.createContainer(inPod: pod.text, config: Bench.container())
        async let second = bench.runtime.createContainer(inPod: pod.text, config: Bench.container())
        let (a, b) = try await (first, second)
        #expect(a == b)
        await #expect {
            _ = try await bench.runtime.createContainer(inPod: pod.text, config: Bench.container { $0.tty = true })
        } throws: { ($0 as? Fault)?.code == .alreadyExists }
    }

    @Test("whichever step of creating fails, nothing of the container is left")
    func createFailsAtEach() async throws {
        var offset = 0
        while true {
            let bench = Bench()
            let pod = try await bench.runPod()
            let before = bench.node.leftovers
            let failing = bench.node.state.withLock { $0.calls.count } + offset
            bench.node.state.withLock { state in
                state.onStep = { at, name in if at == failing { throw Fault.internal("planted at \(name)") } }
            }
            do {
                _ = try await bench.runtime.createContainer(inPod: pod.text, config: Bench.container())
                #expect(bench.node.state.withLock { $0.calls.count } <= failing)
                break
            } catch let fault as Fault {
                #expect(fault.description.contains("planted"))
            }
            #expect(bench.node.leftovers == before, "after a failure of call \(offset)")
            offset += 1
        }
        #expect(offset >= 5)
    }

    @Test("a failed start is an exit with code 128 and reason StartError")
    func startFails() async throws {
        let bench = Bench()
        let pod = try await bench.runPod()
        let id = try await bench.runtime.createContainer(inPod: pod.text, config: Bench.container())
        bench.node.state.withLock { state in
            state.onStep = { _, name in
                if name == "launch" { throw LaunchFailure(stepIndex: 0, errno: 12, detail: []) }
            }
        }
        await #expect(throws: Fault.self) { try await bench.runtime.startContainer(id.text) }
        let exit = try #require(try bench.container(id)?.exit)
        #expect(exit.code == 128)
        #expect(exit.reason == "StartError")
        #expect(!exit.message.isEmpty)
        #expect(exit.startedAt > 0)
        await #expect { try await bench.runtime.startContainer(id.text) } throws: {
            ($0 as? Fault)?.code == .failedPrecondition
        }
        try await bench.runtime.removePod(pod.text)
        #expect(bench.node.leftovers == [])
    }

    @Test("starting twice is refused, stopping twice is not")
    func twice() async throws {
        let bench = Bench()
        let (_, id) = try await bench.runContainer()
        await #expect { try await bench.runtime.startContainer(id.text) } throws: {
            ($0 as? Fault)?.code == .failedPrecondition
        }
        try await bench.runtime.stopContainer(id.text, timeout: .seconds(30))
        #expect(try bench.container(id)?.exit?.code == 143)
        try await bench.runtime.stopContainer(id.text, timeout: .seconds(30))
        #expect(bench.node.state.withLock { $0.signals } == [15])
    }

    @Test("what ignores its stop signal is killed when the time is over, or at once with no time")
    func escalation() async throws {
        for timeout in [Duration.zero, .milliseconds(1)] {
            let bench = Bench()
            bench.node.state.withLock { $0.deadlySignals = [9] }
            let (_, id) = try await bench.runContainer()
            try await bench.runtime.stopContainer(id.text, timeout: timeout)
            #expect(try bench.container(id)?.exit?.code == 137)
            #expect(bench.node.state.withLock { $0.signals } == (timeout == .zero ? [] : [15]))
        }
    }

    @Test("a second stop with less time shortens the first")
    func shorterStop() async throws {
        let bench = Bench()
        bench.node.state.withLock { $0.deadlySignals = [9] }
        let (_, id) = try await bench.runContainer()
        async let long: Void = bench.runtime.stopContainer(id.text, timeout: .seconds(3600))
        try await bench.runtime.stopContainer(id.text, timeout: .zero)
        try await long
        #expect(try bench.container(id)?.exit?.code == 137)
    }

    @Test("the image's stop signal is used, and the request's wins over it")
    func stopSignals() async throws {
        let bench = Bench()
        bench.node.addImage("quits") { $0.stopSignal = "SIGQUIT" }
        bench.node.state.withLock { $0.deadlySignals = [2, 3, 9] }
        let pod = try await bench.runPod()
        for (name, requested, expected) in [("a", 0, 3), ("b", 2, 2)] as [(String, Int32, Int32)] {
            let config = Bench.container(name, image: "quits") { $0.stopSignal = requested }
            let id = try await bench.runtime.createContainer(inPod: pod.text, config: config)
            try await bench.runtime.startContainer(id.text)
            try await bench.runtime.stopContainer(id.text, timeout: .seconds(60))
            #expect(try bench.container(id)?.exit?.code == 128 + expected)
        }
    }

    @Test("resources change while it runs and before; what was not asked for stays")
    func update() async throws {
        let bench = Bench()
        let (_, id) = try await bench.runContainer()
        var change = LinuxResources()
        change.memoryLimitBytes = 1 << 20
        try await bench.runtime.update(id.text, resources: change)
        var second = LinuxResources()
        second.cpuShares = 512
        try await bench.runtime.update(id.text, resources: second)
        let snapshot = try #require(try bench.container(id))
        #expect(snapshot.record.config.resources.memoryLimitBytes == 1 << 20)
        #expect(snapshot.record.config.resources.cpuShares == 512)
        #expect(bench.node.state.withLock { $0.limits[snapshot.record.cgroup] } == snapshot.record.config.resources)
        bench.node.state.withLock {
            $0.onStep = { _, name in if name == "updateCgroup" { throw Fault.internal("planted") } }
        }
        var third = LinuxResources()
        third.cpuShares = 1024
        await #expect(throws: Fault.self) { try await bench.runtime.update(id.text, resources: third) }
        #expect(try bench.container(id)?.record.config.resources.cpuShares == 512)
    }

    @Test("exec needs a running container and returns what the command wrote")
    func exec() async throws {
        let bench = Bench()
        let (pod, id) = try await bench.runContainer()
        let outcome = ExecOutcome.exited(code: 4, stdout: [1], stderr: [2])
        bench.node.state.withLock { $0.execOutcome = outcome }
        #expect(try await bench.runtime.execSync(id.text, command: ["x"], timeout: nil) == outcome)
        #expect(try await bench.runtime.execSync(id.text, command: ["x"], timeout: nil) == outcome)
        await bench.node.end(pod, process: id.text, code: 0)
        await #expect { _ = try await bench.runtime.execSync(id.text, command: ["x"], timeout: nil) } throws: {
            ($0 as? Fault)?.code == .failedPrecondition
        }
    }
}
