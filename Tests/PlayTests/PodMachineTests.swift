import Testing

@testable import Play

@Suite struct PodMachineTests {
    @Test("init, sidecar and a main container that fails twice and then succeeds")
    func wholeLife() throws {
        var bench = try Bench(
            pod(
                "OnFailure", "{name: main, image: i}",
                initial: "{name: init, image: i}, {name: side, image: i, restartPolicy: Always}"))
        #expect(bench.seen == [.launch("init", attempt: 0)])
        #expect(bench.state("main") == "Waiting PodInitializing")
        bench.start("init")
        #expect(bench.machine.phase == .Pending)
        bench.exit("init", 0)
        #expect(bench.seen == [.launch("side", attempt: 0)])
        #expect(bench.machine.phase == .Pending)
        bench.start("side")
        #expect(bench.seen == [.launch("main", attempt: 0)])
        bench.start("main")
        #expect(bench.machine.phase == .Running)
        bench.exit("main", 1)
        // The first restart does not wait.
        #expect(bench.seen == [.launch("main", attempt: 1)])
        #expect(bench.machine.phase == .Running)
        bench.start("main", 1)
        bench.exit("main", 1, 1)
        #expect(bench.seen == [])
        #expect(bench.state("main") == "Waiting CrashLoopBackOff")
        #expect(bench.machine.phase == .Running)
        #expect(bench.machine.wake == .seconds(10))
        try bench.skipToWake()
        #expect(bench.seen == [.launch("main", attempt: 2)])
        bench.start("main", 2)
        bench.exit("main", 2, 0)
        #expect(bench.seen == [.stop("side", attempt: 0, grace: 30)])
        // A pod of which something runs has not come to its end.
        #expect(bench.machine.phase == .Running)
        bench.exit("side", 0, 143)
        #expect(bench.machine.phase == .Succeeded)
        #expect(bench.seen == [.stopPod])
        bench.send(.podStopped)
        #expect(bench.machine.isFinished)
        #expect(bench.machine.phase == .Succeeded)
        #expect(bench.machine.containers.last?.restarts == 2)
    }

    @Test("the back-off doubles to five minutes and is forgotten after ten minutes of running")
    func backOff() throws {
        var bench = try Bench(pod("Always", "{name: a, image: i}"))
        var waits: [Int64] = []
        for attempt in 0..<9 {
            bench.start("a", attempt)
            bench.exit("a", attempt, 1)
            if let wake = bench.machine.wake {
                waits.append((wake - bench.now).components.seconds)
                try bench.skipToWake()
            } else {
                waits.append(0)
            }
            #expect(bench.seen == [.launch("a", attempt: attempt + 1)])
        }
        #expect(waits == [0, 10, 20, 40, 80, 160, 300, 300, 300])
        bench.start("a", 9)
        bench.now += .seconds(601)
        bench.exit("a", 9, 1)
        #expect(bench.seen == [.launch("a", attempt: 10)])
    }

    @Test(
        "the phase at the end is that of the policy",
        arguments: [
            ("Never", 0, PodPhase.Succeeded, true), ("Never", 3, .Failed, true), ("OnFailure", 0, .Succeeded, true),
            ("OnFailure", 3, .Running, false), ("Always", 0, .Running, false), ("Always", 3, .Running, false),
        ] as [(String, Int32, PodPhase, Bool)])
    func policies(policy: String, code: Int32, phase: PodPhase, isOver: Bool) throws {
        var bench = try Bench(pod(policy, "{name: a, image: i}"))
        bench.start("a")
        bench.exit("a", code)
        #expect(bench.machine.phase == phase)
        #expect(bench.seen == [isOver ? .stopPod : .launch("a", attempt: 1)])
    }

    @Test("an init container that fails ends a pod that is never restarted, and is tried again in others")
    func failedInit() throws {
        var bench = try Bench(pod("Never", "{name: a, image: i}", initial: "{name: b, image: i}"))
        bench.start("b")
        bench.exit("b", 4)
        #expect(bench.seen == [.stopPod])
        #expect(bench.machine.phase == .Failed)
        #expect(bench.state("a") == "Waiting PodInitializing")
        var other = try Bench(pod("Always", "{name: a, image: i}", initial: "{name: b, image: i}"))
        other.start("b")
        other.exit("b", 4)
        #expect(other.seen == [.launch("b", attempt: 1)])
        #expect(other.machine.phase == .Pending)
    }

    @Test("probes: startup holds the others back, readiness follows its thresholds, liveness restarts")
    func probes() throws {
        var bench = try Bench(
            pod(
                "Always",
                """
                {name: a, image: i, startupProbe: {exec: {command: [x]}, periodSeconds: 2, failureThreshold: 2},
                 readinessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 5, successThreshold: 2, periodSeconds: 3, failureThreshold: 1},
                 livenessProbe: {httpGet: {port: 80}, periodSeconds: 1, failureThreshold: 2, terminationGracePeriodSeconds: 7}}
                """))
        bench.start("a")
        #expect(bench.seen == [.probe("a", attempt: 0, .startup)])
        bench.send(.probed("a", attempt: 0, .startup, isGood: false))
        try bench.skipToWake()
        #expect(bench.now == .seconds(2))
        bench.send(.probed("a", attempt: 0, .startup, isGood: true))
        #expect(bench.seen == [.probe("a", attempt: 0, .liveness)])
        #expect(!bench.machine.isReady)
        bench.send(.probed("a", attempt: 0, .liveness, isGood: false))
        bench.now = .seconds(5)
        bench.send(.tick)
        #expect(bench.seen == [.probe("a", attempt: 0, .liveness), .probe("a", attempt: 0, .readiness)])
        bench.send(.probed("a", attempt: 0, .readiness, isGood: true))
        #expect(!bench.machine.isReady)
        bench.now = .seconds(8)
        bench.send(.tick)
        bench.send(.probed("a", attempt: 0, .readiness, isGood: true))
        #expect(bench.machine.isReady)
        bench.now = .seconds(11)
        bench.send(.tick)
        bench.send(.probed("a", attempt: 0, .readiness, isGood: false))
        #expect(!bench.machine.isReady)
        bench.send(.probed("a", attempt: 0, .liveness, isGood: false))
        #expect(bench.seen == [.stop("a", attempt: 0, grace: 7)])
        bench.exit("a", 137)
        #expect(bench.seen == [.launch("a", attempt: 1)])
    }

    @Test("termination stops the main containers, then sidecars from the last to the first")
    func termination() throws {
        var bench = try Bench(
            pod(
                "Always", "{name: a, image: i}, {name: b, image: i}",
                initial: "{name: s, image: i, restartPolicy: Always}, {name: t, image: i, restartPolicy: Always}"))
        for name in ["s", "t", "a", "b"] { bench.start(name) }
        bench.send(.terminate)
        #expect(bench.seen == [.stop("a", attempt: 0, grace: 30), .stop("b", attempt: 0, grace: 30)])
        bench.exit("a", 0)
        #expect(bench.seen == [])
        bench.exit("b", 0)
        #expect(bench.seen == [.stop("t", attempt: 0, grace: 30)])
        bench.exit("t", 0)
        #expect(bench.seen == [.stop("s", attempt: 0, grace: 30)])
        bench.exit("s", 0)
        #expect(bench.seen == [.stopPod])
    }

    @Test("a failed pull waits and is tried again")
    func pullBackOff() throws {
        var bench = try Bench(pod("Never", "{name: a, image: i}"))
        bench.send(.launchFailed("a", attempt: 0, reason: "ErrImagePull", message: "no"))
        #expect(bench.state("a") == "Waiting ErrImagePull")
        bench.now = .seconds(1)
        bench.send(.tick)
        #expect(bench.state("a") == "Waiting ImagePullBackOff")
        #expect(bench.machine.phase == .Pending)
        try bench.skipToWake()
        #expect(bench.now == .seconds(10))
        #expect(bench.seen == [.launch("a", attempt: 1)])
        // The waits of pulls are no waits of the container, and a start that was not made is no restart.
        bench.start("a", 1)
        #expect(bench.machine.containers.first?.restarts == 0)
        var other = try Bench(pod("Always", "{name: a, image: i}"))
        other.send(.launchFailed("a", attempt: 0, reason: "ErrImagePull", message: "no"))
        try other.skipToWake()
        other.start("a", 1)
        other.exit("a", 1, 1)
        #expect(other.seen == [.launch("a", attempt: 2)])
    }

    @Test("what comes late changes nothing")
    func late() throws {
        var bench = try Bench(pod("Always", "{name: a, image: i}"))
        bench.start("a")
        bench.exit("a", 1)
        bench.start("a", 1)
        bench.exit("a", 0, 1)
        #expect(bench.state("a") == "Running")
        bench.send(.probed("a", attempt: 0, .liveness, isGood: false))
        #expect(bench.seen == [])
    }
}

@Suite struct ManifestTests {
    @Test("mistakes are named with line and field, and a suggestion")
    func mistakes() throws {
        let problems = ManifestProblems()
        _ = try ManifestReader.read(
            "kind: Pod\nmetadata:\n  name: p\nspec:\n  affinity: {x: y}\n  containers:\n  - name: a\n    imagee: i\n",
            problems)
        #expect(
            problems.errors == [
                "line 7: spec.containers[0].image is missing",
                "line 8: unknown field spec.containers[0].imagee (did you mean image?)",
            ])
        #expect(problems.unhonoured == ["line 5: spec.affinity cannot be honoured"])
    }

    @Test(
        "text that is not YAML is refused with its line, however deep",
        arguments: [
            "a: [", "kind: Pod\n\tx", "a: b: c", String(repeating: "[", count: 100_000),
            String(repeating: "- ", count: 100_000), String(repeating: "{a: ", count: 100_000), "a: *b",
            "kind: Pod\n---\n}",
        ])
    func notYAML(text: String) {
        let error = #expect(throws: ManifestError.self) { try ManifestReader.read(text, ManifestProblems()) }
        #expect(error?.description.contains("line ") == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("\n") == false)
    }

    @Test("aliases that repeat a value without end are refused")
    func aliases() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let before = String(repeating: "*a\(level - 1), ", count: 10)
            text += "a\(level): &a\(level) [\(before)]\n"
        }
        let error = #expect(throws: ManifestError.self) { try ManifestReader.read(text, ManifestProblems()) }
        #expect(error?.description == "more than 100000 values")
    }

    @Test("environment: sources, order and $(NAME)")
    func environment() throws {
        let problems = ManifestProblems()
        let manifest = try ManifestReader.read(
            """
            kind: Pod
            metadata: {name: p, labels: {app: web}}
            spec:
              containers:
              - name: a
                image: i
                resources: {limits: {cpu: 500m, memory: 64Mi}}
                envFrom: [{configMapRef: {name: c}, prefix: C_}]
                env:
                - {name: A, value: "x$(C_k)$$(C_k)$(NO)"}
                - {name: S, valueFrom: {secretKeyRef: {name: s, key: k}}}
                - {name: L, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
                - {name: M, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
                - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
            ---
            kind: ConfigMap
            metadata: {name: c}
            data: {k: v}
            ---
            kind: Secret
            metadata: {name: s}
            data: {k: aGVsbG8=}
            """, problems)
        #expect(problems.errors == [])
        #expect(problems.unhonoured == [])
        let pod = try #require(manifest.pods.first)
        let resolver = ValueResolver(
            manifest, pod, PodFacts(uid: "u", ip: "10.0.0.2", nodeName: "n", nodeIP: "10.0.0.1"))
        let values = try resolver.environment(of: pod.containers[0]).map { "\($0.name)=\($0.value)" }
        #expect(values == ["C_k=v", "A=xv$(C_k)$(NO)", "S=hello", "L=web", "M=64", "IP=10.0.0.2"])
        let wrong = ValueSource.resource(container: "b", "limits.memory", divisor: "1")
        #expect(throws: ManifestError.self) { try resolver.value(wrong, pod.containers[0], 1) }
    }
}
