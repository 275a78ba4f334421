import ArgumentParser
import CLICore
import CRIProto
import Foundation
import GRPC
import Synchronization
import Testing

@testable import swiftlet

@Suite struct RunTests {
    private func leftovers(_ runtime: FakeRuntime) -> Int {
        runtime.world.state.withLock { $0.pods.count + $0.containers.count }
    }

    @Test("pulls a missing image, shows both streams, ends with the status and leaves nothing")
    func wholeRun() async throws {
        try await FakeRuntime.with { runtime in
            let result = await runtime.swiftlet("run", "busybox", "write hello", "complain ouch", "exit 7")
            #expect(result == (7, "hello\n", "ouch\n"))
            #expect(leftovers(runtime) == 0)
            #expect(
                runtime.calls.filter { $0 != "ContainerStatus" } == [
                    "ImageStatus", "PullImage", "RunPodSandbox", "CreateContainer", "StartContainer", "StopPodSandbox",
                    "RemovePodSandbox",
                ])
            let request = runtime.world.state.withLock {
                $0.requests["RunPodSandbox"] as? Runtime_V1_RunPodSandboxRequest
            }
            let directory = try #require(request?.config.logDirectory)
            #expect(!FileManager.default.fileExists(atPath: directory))
        }
    }

    @Test("disable-pull-on-run and --no-pull leave a missing image alone, and --with-pull pulls one that is there")
    func pulling() async throws {
        try await FakeRuntime.with { runtime in
            let file = try runtime.scratch.write("crictl.yaml", "disable-pull-on-run: true\n")
            for arguments in [["-c", file, "run", "busybox"], ["run", "--no-pull", "busybox"]] {
                let refused = await runtime.swiftlet(arguments + ["exit 0"])
                #expect(refused.status == 1 && refused.err.contains("image \"busybox\" is not there"), "\(refused)")
            }
            #expect(!runtime.calls.contains("PullImage") && leftovers(runtime) == 0)
            #expect((await runtime.swiftlet("-c", file, "run", "--with-pull", "busybox", "exit 0")).status == 0)
            #expect((await runtime.swiftlet("run", "--with-pull", "busybox", "exit 0")).status == 0)
            #expect(runtime.calls.filter { $0 == "PullImage" }.count == 2)
            #expect((await runtime.swiftlet("run", "--with-pull", "--no-pull", "busybox")).status == 2)
        }
    }

    @Test("a container that succeeds ends with 0, and an image that is there is not pulled")
    func success() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox")
            #expect((await runtime.swiftlet("run", "busybox", "exit 0")).status == 0)
            #expect(!runtime.calls.contains("PullImage"))
        }
    }

    @Test(
        "a failure at any call is said and undone",
        arguments: ["ImageStatus", "PullImage", "RunPodSandbox", "CreateContainer", "StartContainer"])
    func failures(call: String) async throws {
        try await FakeRuntime.with { runtime in
            runtime.world.state.withLock { $0.failures[call] = GRPCStatus(code: .internal, message: "out of luck") }
            let result = await runtime.swiftlet("run", "busybox", "exit 0")
            #expect(result.status == 1)
            #expect(result.err.contains("out of luck"))
            #expect(leftovers(runtime) == 0)
        }
    }

    @Test("--keep and --log-dir leave the pod and the log")
    func keep() async throws {
        try await FakeRuntime.with { runtime in
            let directory = runtime.scratch.path + "/logs/deep"
            let result = await runtime.swiftlet(
                "run", "--keep", "--log-dir", directory, "--name", "mine", "busybox", "write kept", "exit 0")
            #expect(result.status == 0)
            #expect(result.err.hasPrefix("swiftlet: kept pod 0001"))
            #expect(runtime.world.state.withLock { $0.pods.values.first?.status.metadata.name } == "mine")
            #expect(FileManager.default.fileExists(atPath: directory + "/" + Workload.logName))
        }
    }

    @Test("flags become the container's configuration")
    func flags() throws {
        let options = try RunOptions.parse([
            "--env", "A=b=c", "-e", "OWN", "-e", "MISSING", "-v", "/src:/dst:ro,rslave", "--user", "7:8", "-w", "/work",
            "-m", "64M",
            "--cpus", "0.5", "--host-network", "--read-only", "--tty", "-l", "x=y", "--entrypoint", "/bin/sh",
        ])
        let workload = try options.workload(
            image: "i", arguments: ["-c", "x"], uid: "0123456789", environment: ["OWN": "v"])
        let container = workload.container
        #expect(container.command == ["/bin/sh"])
        #expect(container.args == ["-c", "x"])
        #expect(container.envs.map { $0.key + "=" + String(decoding: $0.value, as: UTF8.self) } == ["A=b=c", "OWN=v"])
        #expect(container.mounts.first?.readonly == true)
        #expect(container.mounts.first?.propagation == .propagationHostToContainer)
        #expect(container.linux.securityContext.runAsUser.value == 7)
        #expect(container.linux.securityContext.runAsGroup.value == 8)
        #expect(container.linux.securityContext.readonlyRootfs)
        #expect(container.linux.securityContext.seccomp.profileType == .runtimeDefault)
        #expect(container.linux.securityContext.maskedPaths.contains("/proc/kcore"))
        #expect(container.linux.securityContext.namespaceOptions.network == .node)
        #expect(container.linux.resources.memoryLimitInBytes == 64 << 20)
        #expect(container.linux.resources.cpuQuota == 50_000)
        #expect(container.tty)
        #expect(workload.pod.metadata.name == "run-01234567")
        #expect(workload.pod.hostname == "")
        #expect(container.labels["x"] == "y")
        let privileged = try RunOptions.parse(["--privileged"]).workload(
            image: "i", arguments: [], uid: "u", environment: [:])
        #expect(privileged.pod.linux.securityContext.privileged)
        #expect(privileged.container.linux.securityContext.maskedPaths == [])
    }

    @Test(
        "flags that make no sense are refused by name",
        arguments: [
            ["--env", "=x"], ["--mount", "a"], ["--mount", "/a:b"], ["--mount", "/a:/b:loud"], ["--user", "a:b"],
            ["--user", "-1"],
            ["--user", "1:"], ["--memory", "much"], ["--cpus", "0"], ["--cpus", "nan"], ["--name", "Bad Name"],
        ])
    func badFlags(flags: [String]) throws {
        let failure = #expect(throws: Failure.self) {
            try RunOptions.parse([flags[0] + "=" + flags[1]]).workload(
                image: "i", arguments: [], uid: "u", environment: [:])
        }
        #expect(failure?.exitStatus == Failure.misused)
        #expect(failure?.message.hasPrefix(flags[0]) == true)
    }

    @Test("an interrupted run stops the container, cleans up and ends with the container's status")
    func interrupted() async throws {
        try await FakeRuntime.with { runtime in
            let program = try Executable.start(["-r", runtime.endpoint, "run", "busybox", "write up", "stay"])
            defer { program.end() }
            try await program.waitForOutput("up\n")
            program.signal(SIGINT)
            #expect(try await program.exitStatus() == 143)
            #expect(leftovers(runtime) == 0)
            let stop = runtime.world.state.withLock { $0.requests["StopContainer"] as? Runtime_V1_StopContainerRequest }
            #expect(stop?.timeout == 10)
        }
    }

    @Test("a run goes on over a restart of the runtime")
    func restart() async throws {
        try await FakeRuntime.with { runtime in
            let program = try Executable.start(["-r", runtime.endpoint, "run", "busybox", "write up", "stay"])
            defer { program.end() }
            try await program.waitForOutput("up\n")
            try await runtime.restart()
            program.signal(SIGTERM)
            #expect(try await program.exitStatus() == 143)
            #expect(program.error == "")
            #expect(leftovers(runtime) == 0)
        }
    }

    @Test("a run whose reader has gone cleans up and ends quietly")
    func readerGone() async throws {
        try await FakeRuntime.with { runtime in
            let program = try Executable.start(
                ["-r", runtime.endpoint, "run", "busybox", "write up", "stay"], closesOutput: true)
            defer { program.end() }
            #expect(try await program.exitStatus() == 141)
            #expect(program.error == "")
            #expect(leftovers(runtime) == 0)
        }
    }
}
