import CLICore
import CRIProto
import Foundation
import Synchronization
import Testing

@testable import swiftlet

/// What `play` does with pods that an earlier one has left, against the fake runtime.
@Suite struct PlayTakeoverTests {
    private static let patient = PlayCommandTests.pod("args: [stay]", policy: "OnFailure")

    private func arguments(_ runtime: FakeRuntime, _ yaml: String) throws -> [String] {
        let file = try runtime.scratch.write("pod.yaml", yaml)
        return ["play", "--state-dir", runtime.scratch.path + "/state", "--back-off-scale", "0.01", file]
    }

    private func start(_ runtime: FakeRuntime, _ yaml: String) throws -> Executable {
        try Executable.start(["-r", runtime.endpoint] + arguments(runtime, yaml))
    }

    /// Plays a manifest until the pod runs, and kills the program.
    private func leave(_ runtime: FakeRuntime, _ yaml: String, after text: String = "default/p: Running\n") async throws
    {
        let program = try start(runtime, yaml)
        try await program.waitForOutput { $0.contains(text) }
        program.signal(SIGKILL)
        _ = try await program.exitStatus()
    }

    private func endContainers(_ runtime: FakeRuntime, _ code: Int32) {
        runtime.world.state.withLock { state in
            for id in state.containers.keys where state.containers[id]?.status.state == .containerRunning {
                state.end(id, with: code)
            }
        }
    }

    private func directories(_ runtime: FakeRuntime) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: runtime.scratch.path + "/state")) ?? []
    }

    @Test("a play that is killed leaves its pods, and the next one goes on with them and their restarts")
    func adopted() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            try await leave(runtime, Self.patient)
            endContainers(runtime, 1)
            let program = try start(runtime, Self.patient)
            defer { program.end() }
            try await program.waitForOutput { $0.contains("default/p/main: Running, restart 1\n") }
            program.signal(SIGKILL)
            _ = try await program.exitStatus()
            #expect(
                program.out == """
                    default/p: taken over, since it is there
                    default/p: Running
                    default/p/main: Terminated Error, exit code 1
                    default/p/main: Running, restart 1

                    """)
            let last = try start(runtime, "# the same\n" + Self.patient)
            defer { last.end() }
            try await last.waitForOutput { $0.contains("default/p/main: Running\n") }
            endContainers(runtime, 0)
            #expect(try await last.exitStatus() == 0)
            #expect(last.out.hasSuffix("default/p/main: Terminated Completed, exit code 0\ndefault/p: Succeeded\n"))
            #expect(runtime.calls.count { $0 == "RunPodSandbox" } == 1)
            let counts = runtime.world.state.withLock {
                $0.containers.values.map { $0.status.annotations[PlayLabel.restarts] ?? "" }
            }
            #expect(counts.sorted() == ["0", "1"])
        }
    }

    @Test("a pod that was being ended is ended by the next play")
    func ending() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let stuck = PlayCommandTests.pod(
                "args: [stay], lifecycle: {preStop: {sleep: {seconds: 3600}}}", policy: "Always"
            ).replacing("spec:", with: "spec:\n  terminationGracePeriodSeconds: 3600")
            let program = try start(runtime, stuck)
            try await program.waitForOutput { $0.contains("default/p: Running\n") }
            program.signal(SIGINT)
            try await program.waitForOutput { $0.contains("stopping the pods") }
            program.signal(SIGKILL)
            _ = try await program.exitStatus()
            let next = try start(runtime, stuck)
            defer { next.end() }
            try await next.waitForOutput { $0.contains("default/p/main: Running\n") }
            // It waits for the hook again; the second interrupt ends it, and it is the first of this program.
            next.signal(SIGINT)
            try await next.waitForOutput { $0.contains("stopping the pods") }
            next.signal(SIGINT)
            #expect(try await next.exitStatus() == 130)
            #expect(next.out.hasSuffix("default/p: Failed\n"))
        }
    }

    @Test("what another process plays, what has ended and what has changed is refused, and --replace begins anew")
    func refused() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let program = try start(runtime, Self.patient)
            defer { program.end() }
            try await program.waitForOutput { $0.contains("default/p: Running\n") }
            for flags in [[], ["--replace"]] {
                let second = await runtime.swiftlet(try arguments(runtime, Self.patient) + flags)
                #expect(second.err == "swiftlet: pod \"default/p\" is being played by another process\n")
                #expect(second.status == 1)
            }
            program.signal(SIGKILL)
            _ = try await program.exitStatus()

            let other = Self.patient.replacing("stay", with: "exit 0")
            let changed = await runtime.swiftlet(try arguments(runtime, other))
            #expect(
                changed.err == "swiftlet: pod \"default/p\" runs and was made of another manifest: "
                    + "--replace removes it and begins anew\n")
            let elsewhere = await runtime.swiftlet(
                try arguments(runtime, Self.patient) + ["--state-dir", runtime.scratch.path + "/elsewhere"])
            #expect(elsewhere.err.contains("was not made with --state-dir"))

            let replaced = await runtime.swiftlet(try arguments(runtime, other) + ["--replace"])
            #expect(replaced.status == 0, "\(replaced)")
            #expect(replaced.out.hasPrefix("Removed pod default/p\ndefault/p: Pending\n"))
            #expect(directories(runtime).count == 1)
            let over = await runtime.swiftlet(try arguments(runtime, other))
            #expect(over.err.contains("is there already and has come to its end: --replace"))
        }
    }

    @Test("directories of pods that are gone are cleared away by the next play, those of other runtimes are not")
    func leftovers() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            try await leave(runtime, Self.patient)
            runtime.world.state.withLock { state in
                state.pods = [:]
                state.containers = [:]
            }
            let foreign = try #require(PodDirectory(state: runtime.scratch.path + "/state", uid: "f-1"))
            let state = runtime.scratch.path + "/state"
            for (name, endpoint) in [("f-1", "unix:///other"), ("f-2", nil), ("f-3", runtime.endpoint)] {
                try FileManager.default.createDirectory(atPath: "\(state)/\(name)", withIntermediateDirectories: false)
                guard let endpoint else { continue }
                try Data(endpoint.utf8).write(to: URL(filePath: "\(state)/\(name)/runtime"))
            }
            #expect(foreign.runtime == "unix:///other")
            let result = await runtime.swiftlet(["play", "--state-dir", state, "--down"])
            #expect(result.status == 0, "\(result)")
            #expect(directories(runtime).sorted() == ["f-1", "f-2"])
        }
    }
}
