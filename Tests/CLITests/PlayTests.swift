import CLICore
import CRIProto
import Foundation
import GRPC
import Linux
import Synchronization
import Testing

@testable import swiftlet

/// `swiftlet play` against the fake runtime, whose containers do what their arguments say.
@Suite struct PlayCommandTests {
    static let demo = """
        apiVersion: v1
        kind: Pod
        metadata: {name: demo}
        spec:
          restartPolicy: OnFailure
          initContainers:
          - {name: init, image: "busybox:1", args: ["exit 0"]}
          - {name: side, image: "busybox:1", args: [stay], restartPolicy: Always}
          containers:
          - {name: main, image: "busybox:1", args: ["exits 1 1 0"]}
        """

    /// A pod of one container.
    static func pod(_ container: String, name: String = "p", policy: String = "Never") -> String {
        """
        kind: Pod
        metadata: {name: \(name)}
        spec:
          restartPolicy: \(policy)
          containers:
          - {name: main, image: "busybox:1", \(container)}
        """
    }

    private func play(
        _ runtime: FakeRuntime, _ yaml: String, _ flags: String...
    ) async throws -> (status: Int32, out: String, err: String) {
        let file = try runtime.scratch.write("pod.yaml", yaml)
        return await runtime.swiftlet(
            ["play", "--state-dir", runtime.scratch.path + "/state", "--back-off-scale", "0.01"] + flags + [file])
    }

    private func start(_ runtime: FakeRuntime, _ yaml: String, closesOutput: Bool = false) throws -> Executable {
        let file = try runtime.scratch.write("pod.yaml", yaml)
        return try Executable.start(
            ["-r", runtime.endpoint, "play", "--state-dir", runtime.scratch.path + "/state", file],
            closesOutput: closesOutput)
    }

    private func directories(_ runtime: FakeRuntime) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: runtime.scratch.path + "/state")) ?? []
    }

    private func request<Request>(_ runtime: FakeRuntime, _ call: String, as _: Request.Type) throws -> Request {
        try #require(runtime.world.state.withLock { $0.requests[call] } as? Request)
    }

    @Test("an init container, a sidecar and a container that fails twice: every phase and state is shown in order")
    func wholeLife() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let result = try await play(runtime, Self.demo)
            #expect(
                result.out == """
                    default/demo: Pending
                    default/demo/init: Waiting PodInitializing
                    default/demo/side: Waiting PodInitializing
                    default/demo/main: Waiting PodInitializing
                    default/demo/init: Running
                    default/demo/init: Terminated Completed, exit code 0
                    default/demo/side: Running
                    default/demo/main: Running
                    default/demo: Running
                    default/demo/main: Terminated Error, exit code 1
                    default/demo/main: Running, restart 1
                    default/demo/main: Terminated Error, exit code 1
                    default/demo/main: Waiting CrashLoopBackOff: back-off 100ms restarting failed container=main \
                    pod=demo_default
                    default/demo/main: Running, restart 2
                    default/demo/main: Terminated Completed, exit code 0
                    default/demo/side: Terminated Error, exit code 143
                    default/demo: Succeeded

                    """)
            #expect(result.status == 0)
            #expect(result.err == "swiftlet: the pods and their logs stay: 'swiftlet play --down' removes them\n")
            // The last two attempts stay, as a kubelet has it.
            let attempts = runtime.world.state.withLock { state in
                state.containers.values.filter { $0.status.metadata.name == "main" }.map(\.status.metadata.attempt)
            }
            #expect(attempts.sorted() == [1, 2])
        }
    }

    @Test("--down removes the pods of the file, or all, with what is on the disk, and touches no other pod")
    func down() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let other = runtime.addPod("other")
            _ = try await play(runtime, Self.pod("args: [exit 0]", name: "a"))
            _ = try await play(runtime, Self.pod("args: [exit 0]", name: "b"))
            #expect(directories(runtime).count == 2)
            let twin = try await play(runtime, Self.pod("args: [exit 0]", name: "b"))
            #expect(twin.status == 1)
            #expect(twin.err.contains("pod \"default/b\" is there already"))
            #expect(directories(runtime).count == 2)
            let file = try runtime.scratch.write("b.yaml", Self.pod("imagee: {}", name: "b"))
            let state = runtime.scratch.path + "/state"
            let first = await runtime.swiftlet("play", "--state-dir", state, "--down", file)
            #expect(first == (0, "Removed pod default/b\n", ""))
            #expect(directories(runtime).count == 1)
            let second = await runtime.swiftlet("play", "--state-dir", state, "--down")
            #expect(second == (0, "Removed pod default/a\n", ""))
            #expect(directories(runtime) == [])
            #expect(runtime.world.state.withLock { Array($0.pods.keys) } == [other])
        }
    }

    @Test("--rm leaves nothing, and the status tells of a failed pod")
    func removal() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let both = Self.pod("args: [exit 0]", name: "good") + "\n---\n" + Self.pod("args: [exit 3]", name: "bad")
            let result = try await play(runtime, both, "--rm")
            #expect(result.status == 1)
            #expect(result.out.contains("default/good: Succeeded\n"))
            #expect(result.out.contains("default/bad: Failed\n"))
            #expect(directories(runtime) == [])
            #expect(runtime.world.state.withLock { $0.pods.count + $0.containers.count } == 0)
        }
    }

    @Test("mistakes are said with file, line and field, and nothing is made")
    func mistakes() async throws {
        try await FakeRuntime.with { runtime in
            let yaml = """
                kind: Pod
                metadata: {name: p}
                spec:
                  affinity: {podAffinity: {}}
                  containers:
                  - name: main
                    imagee: busybox
                """
            let result = try await play(runtime, yaml)
            let file = runtime.scratch.path + "/pod.yaml"
            #expect(result.status == 1)
            #expect(result.out == "")
            #expect(
                result.err == """
                    swiftlet: \(file): line 6: spec.containers[0].image is missing
                    swiftlet: \(file): line 7: unknown field spec.containers[0].imagee (did you mean image?)
                    swiftlet: \(file): line 4: spec.affinity cannot be honoured

                    """)
            #expect(runtime.calls == [])
            #expect(directories(runtime) == [])
        }
    }

    @Test(
        "a file that is no manifest is refused in a sentence",
        arguments: [
            ("", "there is no Pod in the file"), ("{}", "line 1: kind is missing"), ("kind: Pod\n\tx", "line 2"),
            ("[", "line"),
            ("kind: Deployment", "line 1: the kind \"Deployment\" cannot be honoured: only Pod, ConfigMap and Secret"),
            (PlayCommandTests.pod("envFrom: [{secretRef: {name: s}}]"), "the file has no Secret \"s\""),
        ])
    func noManifest(yaml: String, message: String) async throws {
        try await FakeRuntime.with { runtime in
            let result = try await play(runtime, yaml)
            #expect(result.status == 1)
            #expect(result.err.contains(message), "\(result.err)")
            #expect(runtime.calls == [])
        }
    }

    @Test("a file that is missing or too large is refused")
    func badFile() async throws {
        try await FakeRuntime.with { runtime in
            #expect(
                (await runtime.swiftlet("play", "/nowhere.yaml")).err.hasPrefix("swiftlet: read \"/nowhere.yaml\": "))
            let large = try await play(runtime, String(repeating: "#", count: (4 << 20) + 1))
            #expect(large.err.contains("larger than 4 MiB"))
        }
    }

    @Test("--lenient leaves out what cannot be honoured, and says so")
    func lenient() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let yaml = Self.pod("args: [exit 0], stdinOnce: true")
            let refused = try await play(runtime, yaml)
            #expect(refused.status == 1)
            #expect(refused.err.contains("stdinOnce cannot be honoured (--lenient runs the pods without such fields)"))
            let result = try await play(runtime, yaml, "--lenient")
            #expect(result.status == 0)
            #expect(result.err.contains("stdinOnce cannot be honoured: left out\n"))
        }
    }

    @Test("an interrupt says that it stops the pods, waits for them, and tells how to remove them")
    func interrupted() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let hook = "lifecycle: {preStop: {exec: {command: [bye]}}}"
            let program = try start(runtime, Self.pod("args: [stay], \(hook)", policy: "Always"))
            defer { program.end() }
            try await program.waitForOutput { $0.contains("default/p: Running\n") }
            program.signal(SIGINT)
            #expect(try await program.exitStatus() == 130)
            #expect(program.out.contains("stopping the pods; once more kills them\n"))
            #expect(program.out.hasSuffix("default/p: Failed\n"))
            #expect(program.error.contains("'swiftlet play --down' removes them"))
            let calls = runtime.calls.filter { ["ExecSync", "StopContainer", "StopPodSandbox"].contains($0) }
            #expect(calls == ["ExecSync", "StopContainer", "StopPodSandbox"])
            let stop = try request(runtime, "StopContainer", as: Runtime_V1_StopContainerRequest.self)
            #expect((29...30).contains(stop.timeout))
        }
    }

    @Test("a reader that goes away stops the pods and ends the program quietly")
    func readerGone() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let program = try start(runtime, Self.pod("args: [stay]", policy: "Always"), closesOutput: true)
            defer { program.end() }
            #expect(try await program.exitStatus() == 141)
            let ready = runtime.world.state.withLock {
                $0.pods.values.filter { $0.status.state == .sandboxReady }.count
            }
            #expect(ready == 0)
        }
    }

    @Test("the pods live on over a restart of the runtime")
    func runtimeRestart() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let program = try start(runtime, Self.pod("args: [stay]"))
            defer { program.end() }
            try await program.waitForOutput { $0.contains("default/p: Running\n") }
            try await runtime.restart()
            runtime.world.state.withLock { state in
                for id in state.containers.keys { state.end(id, with: 0) }
            }
            #expect(try await program.exitStatus() == 0)
            #expect(program.out.hasSuffix("default/p: Succeeded\n"))
        }
    }

    @Test("a pod that somebody takes away has the phase Unknown")
    func lost() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let program = try start(runtime, Self.pod("args: [stay]"))
            defer { program.end() }
            try await program.waitForOutput { $0.contains("default/p: Running\n") }
            runtime.world.state.withLock { state in
                state.pods = [:]
                state.containers = [:]
            }
            #expect(try await program.exitStatus() == 1)
            #expect(program.out.contains("default/p: Unknown\n"))
            #expect(directories(runtime) == [])
        }
    }

    @Test("a liveness probe that fails ends the container")
    func liveness() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let probe = "livenessProbe: {exec: {command: [check, \"3\"]}, failureThreshold: 1}"
            let result = try await play(runtime, Self.pod("args: [stay], terminationMessagePath: /dev/end, \(probe)"))
            #expect(result.status == 1)
            #expect(result.out.contains("default/p/main: liveness probe failed: exit code 3: check 3warned\n"))
            #expect(result.out.hasSuffix("default/p/main: Terminated Error, exit code 143\ndefault/p: Failed\n"))
            let executed = try request(runtime, "ExecSync", as: Runtime_V1_ExecSyncRequest.self)
            #expect(executed.timeout == 1)
        }
    }

    @Test("a postStart hook that fails ends the container")
    func postStart() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let hook = "lifecycle: {postStart: {exec: {command: [x, \"2\"]}}}"
            let result = try await play(runtime, Self.pod("args: [stay], \(hook)"))
            #expect(result.out.contains("default/p/main: postStart hook failed: exit code 2: x 2warned\n"))
            #expect(result.out.hasSuffix("default/p: Failed\n"))
        }
    }

    @Test("images are pulled as the policy says")
    func pulls() async throws {
        try await FakeRuntime.with { runtime in
            let missing = try await play(runtime, Self.pod("args: [exit 0]", name: "a"))
            #expect(missing.status == 0)
            #expect(missing.out.contains("default/a/main: pulling image \"busybox:1\"\n"))
            #expect(missing.out.contains("default/a/main: pulled image \"busybox:1\" in "))
            let present = try await play(runtime, Self.pod("args: [exit 0]", name: "b"))
            #expect(!present.out.contains("pulling"))
            let always = try await play(runtime, Self.pod("args: [exit 0], imagePullPolicy: Always", name: "c"))
            #expect(always.out.contains("pulling"))
        }
    }

    @Test(
        "a pull that fails is tried again, and an image that may not be pulled is waited for", arguments: [true, false])
    func failedPulls(isNever: Bool) async throws {
        try await FakeRuntime.with { runtime in
            runtime.world.state.withLock {
                $0.failures["PullImage"] = GRPCStatus(code: .notFound, message: "no such image")
            }
            let program = try start(
                runtime, Self.pod("args: [exit 0]" + (isNever ? ", imagePullPolicy: Never" : "")))
            defer { program.end() }
            let reason = isNever ? "ErrImageNeverPull" : "ErrImagePull"
            try await program.waitForOutput { $0.contains("default/p/main: Waiting \(reason): ") }
            program.signal(SIGTERM)
            #expect(try await program.exitStatus() == 143)
            #expect(program.out.contains("no such image") == !isNever)
        }
    }

    @Test("a state directory that others may write to is refused")
    func openState() async throws {
        try await FakeRuntime.with { runtime in
            let state = runtime.scratch.path + "/state"
            try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: false)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: state)
            let result = try await play(runtime, Self.pod("args: [exit 0]"))
            #expect(result.status == 1)
            #expect(result.err.contains("can be written by others"))
            #expect(!runtime.calls.contains("RunPodSandbox"))
        }
    }
}
