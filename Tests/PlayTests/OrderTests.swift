import Testing

@testable import Play

/// What waits for what when containers start and end.
@Suite struct OrderTests {
    private static let hook = "lifecycle: {postStart: {exec: {command: [x]}}}"

    @Test("a container is shown as running when its postStart hook is done, and the next one starts then")
    func postStart() throws {
        var bench = try Bench(pod("OnFailure", "{name: a, image: i, \(Self.hook)}, {name: b, image: i}"))
        #expect(bench.machine.wake == nil)
        bench.start("a")
        #expect(bench.seen == [.postStart("a", attempt: 0)])
        #expect(bench.state("a") == "Waiting ContainerCreating")
        #expect(bench.machine.phase == .Pending)
        bench.send(.hookEnded("a", attempt: 0, isGood: true))
        #expect(bench.seen == [.launch("b", attempt: 0)])
        #expect(bench.state("a") == "Running")
        bench.start("b")
        #expect(bench.machine.isReady)
        // Later the pod is not pending again, and a container that fails waits for its turn, too.
        bench.exit("a", 1)
        bench.exit("b", 1)
        #expect(bench.machine.phase == .Running)
        bench.start("a", 1)
        #expect(bench.state("a") == "Waiting ContainerCreating")
        #expect(bench.machine.phase == .Running)
        #expect(bench.state("b") == "Terminated Error 1")
        bench.send(.hookEnded("a", attempt: 1, isGood: true))
        #expect(bench.seen == [.launch("b", attempt: 1)])
    }

    @Test("a hook that fails, or whose container ends, lets the next one start")
    func failedPostStart() throws {
        var bench = try Bench(pod("Always", "{name: a, image: i, \(Self.hook)}, {name: b, image: i}"))
        bench.start("a")
        bench.send(.hookEnded("a", attempt: 0, isGood: false))
        #expect(bench.state("a") == "Waiting PostStartHookError")
        #expect(bench.seen == [.stop("a", attempt: 0, grace: 30), .launch("b", attempt: 0)])
        bench.start("b")
        bench.exit("a", 137)
        #expect(bench.seen == [.launch("a", attempt: 1)])
        var other = try Bench(pod("Never", "{name: a, image: i, \(Self.hook)}, {name: b, image: i}"))
        other.start("a")
        other.exit("a", 1)
        #expect(other.state("a") == "Terminated Error 1")
        #expect(other.seen == [.launch("b", attempt: 0)])
    }

    @Test("an image that cannot be pulled does not hold the other containers back")
    func pulls() throws {
        var bench = try Bench(pod("Always", "{name: a, image: i}, {name: b, image: i}"))
        #expect(bench.seen == [.launch("a", attempt: 0)])
        bench.send(.launchFailed("a", attempt: 0, reason: "ErrImagePull", message: "no"))
        #expect(bench.seen == [.launch("b", attempt: 0)])
    }

    @Test(
        "a container that a probe has ended starts again whatever its exit code is, unless nothing does",
        arguments: [("OnFailure", true), ("Always", true), ("Never", false)])
    func endedByProbe(policy: String, restarts: Bool) throws {
        var bench = try Bench(
            pod(policy, "{name: a, image: i, livenessProbe: {exec: {command: [x]}, failureThreshold: 1}}"))
        bench.start("a")
        bench.send(.probed("a", attempt: 0, .liveness, isGood: false))
        #expect(bench.seen == [.stop("a", attempt: 0, grace: 30)])
        bench.exit("a", 0)
        #expect(bench.seen == [restarts ? .launch("a", attempt: 1) : .stopPod])
        #expect(bench.machine.phase == (restarts ? .Running : .Succeeded))
        guard policy == "OnFailure" else { return }
        bench.start("a", 1)
        bench.exit("a", 1, 0)
        #expect(bench.seen == [.stopPod])
    }

    @Test("hooks of sidecars begin with the pod's end, their signals wait, and all is one grace")
    func sidecarHooks() throws {
        let sidecar = "image: i, restartPolicy: Always, lifecycle: {preStop: {exec: {command: [x]}}}"
        var bench = try Bench(
            pod("Always", "{name: a, image: i}", initial: "{name: s, \(sidecar)}, {name: t, \(sidecar)}"))
        for name in ["s", "t", "a"] { bench.start(name) }
        bench.send(.terminate)
        #expect(
            bench.seen == [
                .preStop("s", attempt: 0, grace: 30), .preStop("t", attempt: 0, grace: 30),
                .stop("a", attempt: 0, grace: 30),
            ])
        bench.now = .seconds(12)
        bench.exit("a", 0)
        #expect(bench.seen == [.stop("t", attempt: 0, grace: 18)])
        #expect(bench.machine.wake == .seconds(30))
        // The grace is over: nobody waits for a turn any more.
        try bench.skipToWake()
        #expect(bench.seen == [.stop("s", attempt: 0, grace: 2)])
        bench.exit("s", 137)
        #expect(bench.machine.phase == .Running)
        bench.exit("t", 137)
        #expect(bench.seen == [.stopPod])
        #expect(bench.machine.phase == .Succeeded)
    }

    @Test("without a grace nothing waits and no hook runs")
    func noGrace() throws {
        let sidecar = "image: i, restartPolicy: Always, lifecycle: {preStop: {exec: {command: [x]}}}"
        let yaml = pod("Always", "{name: a, image: i}", initial: "{name: s, \(sidecar)}")
        var bench = try Bench(yaml.replacing("spec:\n", with: "spec:\n  terminationGracePeriodSeconds: 0\n"))
        for name in ["s", "a"] { bench.start(name) }
        bench.send(.terminate)
        #expect(bench.seen == [.stop("a", attempt: 0, grace: 0), .stop("s", attempt: 0, grace: 0)])
    }

    @Test("a pod that runs longer than it may is stopped and has failed, whatever its containers say")
    func deadline() throws {
        let yaml = pod("Always", "{name: a, image: i}").replacing(
            "spec:\n", with: "spec:\n  activeDeadlineSeconds: 100\n")
        var bench = try Bench(yaml)
        bench.start("a")
        #expect(bench.machine.wake == .seconds(100))
        try bench.skipToWake()
        #expect(bench.seen == [.stop("a", attempt: 0, grace: 30)])
        bench.exit("a", 0)
        #expect(bench.seen == [.stopPod])
        bench.send(.podStopped)
        #expect(bench.machine.phase == .Failed)
        #expect(bench.machine.message.contains("longer than the specified deadline"))
        // A pod that is taken over goes on with its time.
        var adopted = PodMachine(adopting: bench.machine.manifest, [], podAge: .seconds(99), at: .zero)
        _ = adopted.handle(.tick, at: .zero)
        #expect(adopted.wake == .seconds(1))
    }

    @Test("a pod whose sandbox is lost is made anew: init containers run again, what had succeeded stays")
    func newSandbox() throws {
        var bench = try Bench(
            pod(
                "OnFailure", "{name: a, image: i}, {name: b, image: i}",
                initial: "{name: init, image: i}, {name: side, image: i, restartPolicy: Always}"))
        bench.start("init")
        bench.exit("init", 0)
        for name in ["side", "a", "b"] { bench.start(name) }
        bench.exit("b", 0)
        bench.send(.podLost)
        #expect(bench.seen == [.runPod])
        #expect(bench.machine.phase == .Running)
        bench.exit("side", 137)
        bench.exit("a", 137)
        bench.send(.podStarted)
        #expect(bench.seen == [.launch("init", attempt: 1)])
        #expect(bench.state("init") == "Waiting PodInitializing")
        #expect(bench.machine.phase == .Running)
        bench.start("init", 1)
        bench.exit("init", 1, 0)
        #expect(bench.seen == [.launch("side", attempt: 1)])
        bench.start("side", 1)
        #expect(bench.seen == [.launch("a", attempt: 1)])
        #expect(bench.state("b") == "Terminated Completed 0")
        bench.start("a", 1)
        #expect(bench.machine.containers.map(\.restarts) == [1, 1, 1, 0])
        // Nothing starts again in a pod that is never restarted.
        var never = try Bench(pod("Never", "{name: a, image: i}"))
        never.start("a")
        never.send(.podLost)
        #expect(never.machine.phase == .Unknown)
    }
}
