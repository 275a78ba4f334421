import CRIProto
import CRIService
import Foundation
import GRPC
import Lifecycle
import Model
import SwiftProtobuf
import Synchronization
import TestFakes
import TestKit
import Testing

/// What the kubelet acts on when a call cannot be answered as asked.
@Suite struct ErrorTests {
    private static let unknown = JSON.string(String(repeating: "0", count: 64))

    @Test(
        "an id that nothing has is success where a call may be repeated, and NotFound elsewhere",
        arguments: [
            ("PodSandboxStatus", ["pod_sandbox_id": unknown], GRPCStatus.Code.notFound),
            ("ContainerStatus", ["container_id": unknown], .notFound),
            ("StopPodSandbox", ["pod_sandbox_id": unknown], .ok),
            ("RemovePodSandbox", ["pod_sandbox_id": unknown], .ok), ("StopContainer", ["container_id": unknown], .ok),
            ("RemoveContainer", ["container_id": unknown], .ok),
            ("StartContainer", ["container_id": unknown], .notFound),
            ("ExecSync", ["container_id": unknown, "cmd": ["true"]], .notFound),
            ("Exec", ["container_id": unknown, "cmd": ["true"], "stdout": true], .notFound),
            ("Attach", ["container_id": unknown, "stdout": true], .notFound),
            ("PortForward", ["pod_sandbox_id": unknown, "port": [80]], .notFound),
            ("ReopenContainerLog", ["container_id": unknown], .notFound),
            ("UpdateContainerResources", ["container_id": unknown, "linux": [:]], .notFound),
            ("UpdatePodSandboxResources", ["pod_sandbox_id": unknown], .notFound),
            ("CreateContainer", ["pod_sandbox_id": unknown, "config": Requests.container], .notFound),
        ] as [(String, JSON, GRPCStatus.Code)])
    func unknownID(_ method: String, _ request: JSON, _ code: GRPCStatus.Code) async throws {
        let outcome = try await Fixture.run { try await $0.call(method, request) }
        #expect(outcome.code == code, "\(outcome.message)")
        if code == .ok { #expect(outcome.response == "{}") }
    }

    @Test("a call in the wrong state is a failed precondition and changes nothing")
    func wrongState() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            let created = try await fixture.container(in: pod, named: "created")
            for method in ["ExecSync", "ReopenContainerLog"] {
                var request: JSON = ["container_id": .string(created)]
                if method == "ExecSync" { request["cmd"] = ["true"] }
                #expect(
                    try await fixture.call(method, request).code == .failedPrecondition,
                    "\(method) of a created container")
            }
            let running = try await fixture.container(in: pod, named: "running", start: true)
            #expect(
                try await fixture.call("StartContainer", ["container_id": .string(running)]).code == .failedPrecondition
            )
            #expect(try await fixture.call("StopPodSandbox", ["pod_sandbox_id": .string(pod)]).isOK)
            let late = try await fixture.call(
                "CreateContainer", ["pod_sandbox_id": .string(pod), "config": Requests.container])
            #expect(late.code == .failedPrecondition)
            let start = try await fixture.call("StartContainer", ["container_id": .string(created)])
            #expect(start.code == .failedPrecondition)
            #expect(try await fixture.call("RemovePodSandbox", ["pod_sandbox_id": .string(pod)]).isOK)
            #expect(fixture.node.leftovers == [])
        }
    }

    @Test("the name of a live object is taken, and an image that is not here is named")
    func names() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            #expect(try await fixture.runPod() == pod, "a retry gets what the first call made")
            let other = try await fixture.call("RunPodSandbox", Requests.pod.with("config.hostname", "other"))
            #expect(other.code == .alreadyExists)
            let id = try await fixture.container(in: pod)
            #expect(try await fixture.container(in: pod) == id)
            var request: JSON = ["pod_sandbox_id": .string(pod), "config": Requests.container.with("tty", true)]
            #expect(try await fixture.call("CreateContainer", request).code == .alreadyExists)
            request["config"] = Requests.container.with("image.image", "absent").with("metadata.name", "other")
            let absent = try await fixture.call("CreateContainer", request)
            #expect(absent.code == .failedPrecondition, "NotFound would say that the sandbox is gone")
            #expect(absent.message.contains("\"absent\""))
        }
    }

    @Test("a prefix of an id is enough while it is the only one; one that several have is refused")
    func prefixes() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            let id = try await fixture.container(in: pod, start: true)
            let short = JSON.string(String(id.prefix(13)))
            for method in ["ContainerStatus", "ReopenContainerLog", "StopContainer", "RemoveContainer"] {
                let outcome = try await fixture.call(method, ["container_id": short])
                #expect(outcome.isOK, "\(method): \(outcome.message)")
            }
            // Of 17 pods two have the same first digit.
            for number in 0..<17 {
                _ = try await fixture.runPod(Requests.pod.with("config.metadata.name", .string("p\(number)")))
            }
            var codes: [GRPCStatus.Code] = []
            for digit in "0123456789abcdef" {
                let outcome = try await fixture.call("PodSandboxStatus", ["pod_sandbox_id": .string(String(digit))])
                if outcome.code == .invalidArgument { #expect(outcome.message.contains("ambiguous")) }
                codes.append(outcome.code)
            }
            #expect(codes.contains(.invalidArgument))
            #expect(Set(codes).isSubset(of: [.ok, .notFound, .invalidArgument]))
        }
    }

    @Test("exec passes exit codes and output through; running out of time is DeadlineExceeded")
    func exec() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            let id = try await fixture.container(in: pod, start: true)
            fixture.node.state.withLock { $0.execOutcome = .exited(code: 7, stdout: [0xff, 0x0a], stderr: [0x41]) }
            let done: Runtime_V1_ExecSyncResponse = try await fixture.send(CRIMethods.execSync) {
                $0.containerID = id
                $0.cmd = ["false"]
            }
            #expect(done.exitCode == 7)
            #expect(Array(done.stdout) == [0xff, 0x0a])
            #expect(Array(done.stderr) == [0x41])
            fixture.node.state.withLock { $0.execOutcome = .timedOut }
            let late = try await fixture.call(
                "ExecSync", ["container_id": .string(id), "cmd": ["sleep"], "timeout": 1])
            #expect(late.code == .deadlineExceeded)
            #expect(late.message.contains("1 s"))
            for timeout: JSON in [0, 3] {
                fixture.recorder.clear()
                _ = try await fixture.call(
                    "ExecSync", ["container_id": .string(id), "cmd": ["sleep"], "timeout": timeout])
                let plan = try #require(fixture.recorder.all[.execPlan])
                #expect(plan.hasSuffix("nil") == (timeout == 0), "0 = no limit")
            }
        }
    }

    @Test("an error of a pull keeps the words that the kubelet looks for at its front")
    func pullErrors() async throws {
        try await Fixture.run { fixture in
            for word in ["RegistryUnavailable", "SignatureValidationFailed"] {
                fixture.images.state.withLock {
                    $0.failure = Fault(.unknown, "\(word): no route to \"registry.example\"")
                }
                let outcome = try await fixture.call("PullImage", ["image": ["image": "busybox"]])
                #expect(outcome.code == .unknown)
                #expect(outcome.message.hasPrefix(word))
            }
        }
    }

    @Test("an error whose cause is endless reaches the client, cut, and the connection lives on")
    func longCause() async throws {
        try await Fixture.run { fixture in
            let cause = String(repeating: "\u{e9}\n", count: 50_000)
            fixture.images.state.withLock { $0.failure = Fault(.internal, "pull image", cause: cause) }
            let outcome = try await fixture.call("PullImage", ["image": ["image": "busybox"]])
            #expect(outcome.code == .internal)
            #expect(outcome.message.hasPrefix("pull image: \u{e9}"))
            #expect(outcome.message.utf8.count <= 4096)
            #expect(try await fixture.call("Version").isOK)
        }
    }

    @Test("every step of RunPodSandbox and of CreateContainer may fail: nothing is left of them, and a retry works")
    func failures() async throws {
        try await Fixture.run { fixture in
            var failures = 0
            for failing in 0..<64 {
                let first = fixture.node.state.withLock { $0.calls.count }
                fixture.node.state.withLock { state in
                    state.onStep = { index, name in
                        if index == first + failing { throw Fault.internal("step \(name) fails") }
                    }
                }
                let outcome = try await fixture.call("RunPodSandbox", Requests.pod)
                fixture.node.state.withLock { $0.onStep = nil }
                guard !outcome.isOK else { break }
                failures += 1
                #expect(outcome.message.contains("fails"), "\(outcome.message)")
                #expect(fixture.node.leftovers == [], "step \(failing)")
            }
            #expect(failures > 5)
            let pod = try await fixture.runPod()
            let before = fixture.node.leftovers
            failures = 0
            for failing in 0..<64 {
                let first = fixture.node.state.withLock { $0.calls.count }
                fixture.node.state.withLock { state in
                    state.onStep = { index, name in
                        if index == first + failing { throw Fault.internal("step \(name) fails") }
                    }
                }
                let outcome = try await fixture.call(
                    "CreateContainer", ["pod_sandbox_id": .string(pod), "config": Requests.container])
                fixture.node.state.withLock { $0.onStep = nil }
                guard !outcome.isOK else { break }
                failures += 1
                #expect(fixture.node.leftovers == before, "step \(failing)")
            }
            #expect(failures > 4)
        }
    }

    @Test("every method of the CRI has one entry in the table")
    func table() async throws {
        try await Fixture.run { fixture in
            #expect(CRIMethods.all.count == 43)
            let paths = fixture.service.methods().map(\.path)
            #expect(Set(paths) == Set(CRIMethods.all.map(\.path)))
            #expect(paths.count == 43, "one entry a method")
        }
    }
}
