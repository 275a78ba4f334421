import Testing

@testable import Play

/// Going on with pods that an earlier run of the program has made.
@Suite struct AdoptionTests {
    private static func manifest(_ yaml: String) throws -> Manifest {
        let problems = ManifestProblems()
        let manifest = try ManifestReader.read(yaml, problems)
        #expect(problems.errors == [])
        return manifest
    }

    private static let whole = """
        kind: Pod
        metadata: {name: p}
        spec:
          restartPolicy: OnFailure
          initContainers: [{name: init, image: i}, {name: side, image: i, restartPolicy: Always}]
          containers: [{name: a, image: i, readinessProbe: {exec: {command: [x]}, initialDelaySeconds: 60}}, {name: b, image: i}]
        """

    private static func machine(_ found: [FoundContainer]) throws -> PodMachine {
        PodMachine(adopting: try #require(try manifest(whole).pods.first), found, at: .zero)
    }

    private static func ended(_ name: String, _ code: Int32, restarts: Int = 0, age: Duration, ran: Duration = .zero)
        -> FoundContainer
    {
        FoundContainer(
            name: name, attempt: restarts, restarts: restarts,
            state: .ended(Termination(exitCode: code, reason: code == 0 ? "Completed" : "Error"), age: age),
            runAge: age + ran)
    }

    private static func running(_ name: String, for time: Duration = .zero) -> FoundContainer {
        FoundContainer(name: name, attempt: 0, restarts: 0, state: .running, runAge: time)
    }

    @Test("init containers that are done are not run again, and what runs goes on")
    func running() throws {
        let found = [
            Self.ended("init", 0, age: .seconds(60)), Self.running("side"), Self.running("a", for: .seconds(50)),
            Self.running("b"),
        ]
        var machine = try Self.machine(found)
        #expect(machine.handle(.tick, at: .zero) == [])
        #expect(machine.phase == .Running)
        #expect(!machine.isReady)
        // The delay is counted from when the container was started.
        #expect(machine.wake == .seconds(10))
        #expect(machine.handle(.tick, at: .seconds(10)) == [.probe("a", attempt: 0, .readiness)])
        _ = machine.handle(.probed("a", attempt: 0, .readiness, isGood: true), at: .seconds(10))
        #expect(machine.isReady)
    }

    @Test("a sidecar that ended meanwhile starts again and does not hold the pod back")
    func sidecar() throws {
        let found = [
            Self.ended("init", 0, age: .seconds(60)), Self.ended("side", 1, age: .seconds(1)), Self.running("a"),
        ]
        var machine = try Self.machine(found)
        #expect(machine.handle(.tick, at: .zero) == [.launch("side", attempt: 1)])
        #expect(machine.handle(.started("side", attempt: 1), at: .zero) == [.launch("b", attempt: 0)])
        _ = machine.handle(.started("b", attempt: 0), at: .zero)
        #expect(machine.phase == .Running)
    }

    @Test("the back-off goes on with the restarts that were, from when the container ended")
    func backOff() throws {
        let done = [Self.ended("init", 0, age: .seconds(60)), Self.running("side"), Self.running("a")]
        var machine = try Self.machine(done + [Self.ended("b", 1, restarts: 3, age: .seconds(15), ran: .seconds(1))])
        #expect(machine.handle(.tick, at: .zero) == [])
        // Three restarts: 40 s, of which 15 have passed.
        #expect(machine.wake == .seconds(25))
        #expect(machine.handle(.tick, at: .seconds(25)) == [.launch("b", attempt: 4)])
        _ = machine.handle(.started("b", attempt: 4), at: .seconds(25))
        #expect(machine.containers.last?.restarts == 4)

        var patient = try Self.machine(done + [Self.ended("b", 1, restarts: 3, age: .zero, ran: .seconds(601))])
        #expect(patient.handle(.tick, at: .zero) == [.launch("b", attempt: 4)])
    }

    @Test("a pod that came to its end meanwhile is stopped")
    func over() throws {
        let found = [Self.ended("init", 0, age: .zero), Self.ended("a", 0, age: .zero), Self.ended("b", 0, age: .zero)]
        var machine = try Self.machine(found)
        #expect(machine.handle(.tick, at: .zero) == [.stopPod])
        #expect(machine.phase == .Succeeded)
    }

    @Test("a pod of which nothing was made yet begins with its init containers")
    func nothing() throws {
        var machine = try Self.machine([])
        #expect(machine.handle(.tick, at: .zero) == [.launch("init", attempt: 0)])
        #expect(machine.phase == .Pending)
    }

    @Test("the fingerprint is that of the content: spelling, order and comments do not change it, values do")
    func fingerprint() throws {
        let yaml = """
            kind: Pod
            metadata: {name: p}
            spec:
              volumes: [{name: v, secret: {secretName: s}}]
              containers: [{name: a, image: i, envFrom: [{configMapRef: {name: c}}]}]
            ---
            {kind: ConfigMap, metadata: {name: c}, data: {k: v}}
            ---
            {kind: Secret, metadata: {name: s}, stringData: {k: v}}
            ---
            {kind: Secret, metadata: {name: unused}, stringData: {k: v}}
            """
        func print(_ yaml: String, salt: String = "1") throws -> String {
            let manifest = try Self.manifest(yaml)
            return manifest.fingerprint(of: try #require(manifest.pods.first), salt: salt)
        }
        let first = try print(yaml)
        #expect(first.count == 64)
        #expect(
            try print("# new\n\n" + yaml.replacing("{name: a, image: i,", with: "{image: \"i\", name: 'a',")) == first)
        #expect(try print(yaml.replacing("{name: unused}, stringData: {k: v}", with: "{name: unused}")) == first)
        let others = try [
            print(yaml, salt: "2"), print(yaml.replacing("image: i", with: "image: j")),
            print(yaml.replacing("{name: c}, data: {k: v}", with: "{name: c}, data: {k: w}")),
            print(yaml.replacing("{name: s}, stringData: {k: v}", with: "{name: s}, stringData: {k: w}")),
            print(yaml.replacing("{name: s}, stringData: {k: v}", with: "{name: s}, stringData: {kv: \"\"}")),
        ]
        #expect(Set(others + [first]).count == 6)
    }
}
