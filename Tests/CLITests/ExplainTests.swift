import CLICore
import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import SwiftletAPI
import Synchronization
import Testing

@testable import swiftlet

@Suite struct ExplainTests {
    private static let second: Int64 = 1_000_000_000
    private static let spec = """
        {"process": {"user": {"uid": 1000, "gid": 5}, "args": ["server", "-v"], "noNewPrivileges": true,
        "capabilities": {"bounding": ["CAP_CHOWN"]}}, "root": {"readonly": true},
        "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}], "seccomp": {"defaultAction": "SCMP_ACT_ERRNO"},
        "maskedPaths": ["/proc/kcore"], "resources": {"memory": {"limit": 67108864}, "cpu": {"quota": 50000, "period": 100000}}}}
        """

    /// A pod "web" with a container "main", changed by `change`.
    private func with(
        _ change: @Sendable @escaping (inout FakeWorld.State, inout Runtime_V1_ContainerStatus) -> Void,
        _ body: @Sendable @escaping (FakeRuntime) async throws -> Void
    ) async throws {
        try await FakeRuntime.with { runtime in
            runtime.world.state.withLock { state in
                let config = Runtime_V1_PodSandboxConfig.with {
                    ($0.metadata.name, $0.metadata.namespace) = ("web", "default")
                }
                state.pods["aaaa"] = (FakeWorld.pod("aaaa", config), config)
                let container = Runtime_V1_ContainerConfig.with {
                    $0.metadata.name = "main"
                    $0.image.image = "busybox"
                }
                var status = FakeWorld.status("cccc", container, logPath: "")
                status.state = .containerRunning
                status.startedAt = CapturedConsole.now - 9 * Self.second
                state.info = ["runtimeSpec": Self.spec]
                change(&state, &status)
                state.containers["cccc"] = (status, "aaaa", container)
            }
            try await body(runtime)
        }
    }

    private static func exited(
        _ status: inout Runtime_V1_ContainerStatus, _ code: Int32, _ reason: String = "Error"
    ) {
        status.state = .containerExited
        status.finishedAt = CapturedConsole.now - 2 * second
        (status.exitCode, status.reason) = (code, reason)
    }

    private static func operation(_ name: String, container: String = "cccc", error: String = "")
        -> Swiftlet_V1_Operation
    {
        .with {
            ($0.name, $0.podID, $0.containerID, $0.error) = (name, "aaaa", container, error)
            $0.containerName = container.isEmpty ? "" : "main"
            $0.startedAt = CapturedConsole.now - 3 * second
            $0.duration = 4_000_000
        }
    }

    @Test func `a running container is told with its isolation`() async throws {
        try await with { state, _ in
            state.operations = [Self.operation("StartContainer")]
        } _: { runtime in
            for subject in ["cc", "main"] {
                let result = await runtime.swiftlet("explain", subject)
                #expect(result.status == 0, "\(result)")
                for part in [
                    "Container main (cccc), of the image busybox", "in the pod default/web (aaaa)",
                    "Command: server -v",
                    "Running since 9 seconds ago", "3 seconds ago: StartContainer of main succeeded in 4 ms",
                    "User 1000, group 5", "Capabilities: CAP_CHOWN", "cannot gain privileges", "seccomp", "read-only",
                    "Limits: memory 64 MiB, 0.5 CPUs",
                ] {
                    #expect(result.out.contains(part), "\(part) is not in \(result.out)")
                }
            }
        }
    }

    @Test func `an out-of-memory kill names the limit`() async throws {
        try await with { _, status in
            Self.exited(&status, 137, "OOMKilled")
            status.resources.linux.memoryLimitInBytes = 64 << 20
        } _: { runtime in
            let out = await runtime.swiftlet("explain", "cccc").out
            #expect(out.contains("Exited 2 seconds ago with code 137, OOMKilled, after 7 s"))
            #expect(out.contains("limit of 64 MiB"))
        }
    }

    @Test(arguments: [
        (Int32(1), false, "The program itself chose this code"), (127, false, "did not find the command"),
        (137, false, "was not asked to stop it"), (137, true, "did not end within its grace period"),
        (139, false, "SIGSEGV"), (143, true, "was asked to stop, and did"), (159, false, "Signal 31 ended it"),
    ])
    func `a code is explained`(_ code: Int32, _ wasStopped: Bool, _ words: String) async throws {
        try await with { state, status in
            Self.exited(&status, code)
            if wasStopped { state.operations = [Self.operation("StopContainer")] }
        } _: { runtime in
            let out = await runtime.swiftlet("explain", "cccc").out
            #expect(out.contains(words), "\(out)")
        }
    }

    @Test func `a success needs no explanation`() async throws {
        try await with { _, status in
            Self.exited(&status, 0, "Completed")
        } _: { runtime in
            let out = await runtime.swiftlet("explain", "cccc").out
            #expect(out.contains("code 0, Completed"))
            #expect(!out.contains("chose") && !out.contains("End of its log"))
        }
    }

    @Test func `a start that failed is the reason, and hostile words drive no terminal`() async throws {
        try await with { state, status in
            (status.state, status.startedAt) = (.containerCreated, 0)
            state.operations = [Self.operation("StartContainer", error: "no such file\u{1b}[31m")]
        } _: { runtime in
            let out = await runtime.swiftlet("explain", "cccc").out
            #expect(out.contains("Created; its start failed 3 seconds ago: no such file?[31m"))
            #expect(!out.contains("\u{1b}"))
        }
    }

    @Test func `the end of a failed container's log is shown`() async throws {
        let root = try ScratchDirectory()
        let path = root.path + "/log"
        let lines =
            (1...40).map { "2026-11-26T00:00:00Z stderr F line \($0)\u{7}\n" } + [
                "2026-11-26T00:00:00Z stdout P last \n", "2026-11-26T00:00:00Z stdout F words\n",
            ]
        try lines.joined().write(toFile: path, atomically: true, encoding: .utf8)
        try await with { _, status in
            Self.exited(&status, 3)
            status.logPath = path
        } _: { runtime in
            let out = await runtime.swiftlet("explain", "cccc").out
            #expect(out.contains("End of its log\n  line 32?\n"))
            #expect(out.contains("  line 40?\n  last words\n"))
        }
        try await with { _, status in
            Self.exited(&status, 3)
            status.logPath = root.path + "/none"
        } _: { runtime in
            let result = await runtime.swiftlet("explain", "cccc")
            #expect(result.status == 0 && result.out.contains("there is no such file"))
        }
    }

    @Test func `a pod is told with its containers and what failed`() async throws {
        try await with { state, _ in
            state.operations = [Self.operation("RunPodSandbox", container: "", error: "plugin \"bridge\" failed")]
        } _: { runtime in
            let result = await runtime.swiftlet("explain", "web")
            #expect(result.status == 0, "\(result)")
            #expect(result.out.contains("Pod default/web (aaaa)"))
            #expect(result.out.contains("RunPodSandbox failed 3 seconds ago: plugin \"bridge\" failed"))
            #expect(result.out.contains("Containers\n  main (cccc): "))
            let json = try JSONParser.parse(await runtime.swiftlet("explain", "-o", "json", "aaaa").out.utf8)
            if case .array(let tried)? = json["what_was_tried"] {
                #expect(tried.count == 1)
            } else {
                Issue.record("\(json)")
            }
        }
    }

    @Test func `another runtime tells what the CRI tells`() async throws {
        try await with { state, _ in
            state.info = [:]
            state.failures["ListOperations"] = GRPCStatus(code: .unimplemented, message: "unknown service")
        } _: { runtime in
            let result = await runtime.swiftlet("explain", "cccc")
            #expect(result.status == 0 && result.out.contains("Running since"))
            #expect(!result.out.contains("Isolation") && !result.out.contains("tried"))
        }
    }

    @Test func `what is not there or not one is refused`() async throws {
        try await with { state, _ in
            guard var other = state.pods["aaaa"] else { return }
            other.status.id = "bbbb"
            other.status.metadata.namespace = "other"
            state.pods["bbbb"] = other
        } _: { runtime in
            let none = await runtime.swiftlet("explain", "zzz")
            #expect(none.status != 0 && none.err.contains("no pod or container has the id or name \"zzz\""))
            let two = await runtime.swiftlet("explain", "web")
            #expect(two.status != 0 && two.err.contains("several"))
            let empty = await runtime.swiftlet("explain", "")
            #expect(empty.status != 0 && empty.err.contains("empty"))
        }
    }
}
