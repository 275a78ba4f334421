import CLICore
import CRIProto
import Foundation
import GRPC
import Synchronization
import Testing

@testable import swiftlet

/// The commands that change something.
@Suite struct ChangeTests {
    @Test("containers are started, stopped and removed by the beginning of their ids")
    func containers() async throws {
        try await FakeRuntime.with { runtime in
            let log = try runtime.scratch.write("a.log", "x")
            _ = try runtime.scratch.write("a.log.20260101", "x")
            let other = try runtime.scratch.write("b.log", "x")
            let id = runtime.addContainer("a", in: runtime.addPod("p"), logPath: log)
            let running = await runtime.swiftlet("rm", "0002")
            #expect(running.status == 1)
            #expect(running.err.contains("is running: stop it first"))
            let stopped = await runtime.swiftlet("stop", "-t", "5", "0002")
            #expect((stopped.status, stopped.out) == (0, id + "\n"))
            let request = runtime.world.state.withLock {
                $0.requests["StopContainer"] as? Runtime_V1_StopContainerRequest
            }
            #expect(request?.timeout == 5)
            #expect((await runtime.swiftlet("rm", "0002")).out == id + "\n")
            #expect(!FileManager.default.fileExists(atPath: log))
            #expect(!FileManager.default.fileExists(atPath: log + ".20260101"))
            #expect(FileManager.default.fileExists(atPath: other))
            #expect(runtime.world.state.withLock { $0.containers.isEmpty })
        }
    }

    @Test("rm -f stops what runs, and --keep-logs keeps the log")
    func forcedRemoval() async throws {
        try await FakeRuntime.with { runtime in
            let log = try runtime.scratch.write("a.log", "x")
            runtime.addContainer("a", in: runtime.addPod("p"), logPath: log)
            #expect((await runtime.swiftlet("rm", "-f", "-k", "0002")).status == 0)
            #expect(FileManager.default.fileExists(atPath: log))
            #expect(runtime.calls.contains("StopContainer"))
        }
    }

    @Test(
        "an id that is not there, or that could be several, fails with a sentence",
        arguments: [["stop"], ["rm"], ["start"], ["inspect"], ["stopp"], ["rmp"], ["inspectp"], ["logs"]])
    func unknownIDs(command: [String]) async throws {
        try await FakeRuntime.with { runtime in
            let pod = runtime.addPod("p")
            runtime.addPod("q")
            runtime.addContainer("a", in: pod)
            runtime.addContainer("b", in: pod)
            let unknown = await runtime.swiftlet(command + ["abc"])
            #expect(unknown.status == 1)
            #expect(unknown.err.contains("has an id that begins with \"abc\""))
            let ambiguous = await runtime.swiftlet(command + ["00"])
            #expect(ambiguous.status == 1)
            #expect(ambiguous.err.contains("could be 2"))
        }
    }

    @Test("one that fails does not stop the others, and the status tells")
    func partialFailure() async throws {
        try await FakeRuntime.with { runtime in
            let pod = runtime.addPod("p")
            runtime.addContainer("a", in: pod, .containerExited)
            runtime.addContainer("b", in: pod)
            let result = await runtime.swiftlet("rm", "-a")
            #expect(result.status == 1)
            #expect(result.out.split(separator: "\n").count == 1)
            #expect(runtime.world.state.withLock { $0.containers.count } == 1)
        }
    }

    @Test("pods are stopped and removed, all at once or by id")
    func pods() async throws {
        try await FakeRuntime.with { runtime in
            let first = runtime.addPod("p")
            let second = runtime.addPod("q")
            #expect((await runtime.swiftlet("stopp", "0001")).out == "Stopped sandbox \(first)\n")
            let refused = await runtime.swiftlet("rmp", "0002")
            #expect(refused.status == 1)
            #expect(refused.err.contains("is ready: stop it first"))
            let result = await runtime.swiftlet("rmp", "-f", "-a")
            #expect(
                Set(result.out.split(separator: "\n")) == ["Removed sandbox \(first)", "Removed sandbox \(second)"])
            #expect(runtime.world.state.withLock { $0.pods.isEmpty })
        }
    }

    @Test("images are pulled with credentials and annotations")
    func pull() async throws {
        try await FakeRuntime.with { runtime in
            let result = await runtime.swiftlet(
                "pull", "--creds", "user:pa:ss", "-a", "a=b", "registry.local/app:1", isTerminal: true)
            #expect(result.status == 0)
            #expect(result.out.hasPrefix("Image is up to date for sha256:bbb"))
            let request = runtime.world.state.withLock { $0.requests["PullImage"] as? Runtime_V1_PullImageRequest }
            #expect(request?.auth.username == "user")
            #expect(request?.auth.password == "pa:ss")
            #expect(request?.image.annotations == ["a": "b"])
            #expect((await runtime.swiftlet("pull", "--creds", "a", "--auth", "b", "x")).status == 2)
        }
    }

    @Test("images are removed by name, all, or those that nobody uses")
    func rmi() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("docker.io/library/busybox:1")
            runtime.addImage("docker.io/library/nginx:1", digit: "c")
            runtime.addContainer("a", in: runtime.addPod("p"))
            #expect((await runtime.swiftlet("rmi", "--prune")).out == "Deleted: docker.io/library/nginx:1\n")
            let missing = await runtime.swiftlet("rmi", "nothing")
            #expect(missing.status == 1)
            #expect(missing.err == "swiftlet: there is no image \"nothing\"\n")
            #expect((await runtime.swiftlet("rmi", "--all")).out == "Deleted: docker.io/library/busybox:1\n")
            #expect(runtime.world.state.withLock { $0.images.isEmpty })
        }
    }

    @Test("exec ends with the command's status and keeps the streams apart")
    func exec() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addContainer("a", in: runtime.addPod("p"))
            let result = await runtime.swiftlet("exec", "-s", "--timeout", "7", "0002", "ls", "-l", "--all", "42")
            #expect(result == (42, "ls -l --all 42", "warned"))
            let request = runtime.world.state.withLock { $0.requests["ExecSync"] as? Runtime_V1_ExecSyncRequest }
            #expect(request?.timeout == 7)
            #expect((await runtime.swiftlet("exec", "-s", "0002", "--", "true")).out == "true")
        }
    }

    @Test("pod and container are made from crictl's files")
    func createFromFiles() async throws {
        try await FakeRuntime.with { runtime in
            let pod = try runtime.scratch.write(
                "pod.json",
                #"{"metadata": {"name": "p", "namespace": "n", "attempt": 1}, "log_directory": "/tmp", "linux": {}}"#)
            let container = try runtime.scratch.write(
                "container.yaml",
                "metadata:\n  name: c\nimage:\n  image: busybox\ncommand: [top]\nenvs:\n- key: A\n  value: b\nlogPath: c.log\n"
            )
            let ran = await runtime.swiftlet("runp", "-r", "special", pod)
            #expect(ran.status == 0)
            #expect(ran.out.hasPrefix("0001"))
            let created = await runtime.swiftlet("create", "0001", container, pod)
            #expect(created.out.hasPrefix("0002"))
            let (run, create) = runtime.world.state.withLock { state in
                (
                    state.requests["RunPodSandbox"] as? Runtime_V1_RunPodSandboxRequest,
                    state.requests["CreateContainer"] as? Runtime_V1_CreateContainerRequest
                )
            }
            #expect(run?.runtimeHandler == "special")
            #expect(run?.config.metadata.uid.isEmpty == false)
            #expect(run?.config.hasLinux == true)
            #expect(create?.config.envs.first?.value == Data("b".utf8))
            #expect(create?.config.logPath == "c.log")
            #expect(create?.sandboxConfig.logDirectory == "/tmp")
        }
    }
}
