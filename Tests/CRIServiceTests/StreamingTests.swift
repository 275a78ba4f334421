import CRIProto
import GRPC
import Model
import Synchronization
import TestKit
import Testing

/// Exec, Attach and PortForward: what they check before they give a URL.
@Suite struct StreamingTests {
    private static let exec: JSON = ["container_id": "$CONTAINER", "cmd": ["/bin/true"]]
    private static let attach: JSON = ["container_id": "$CONTAINER"]

    @Test(
        "a request that no stream can serve is refused, and names why",
        arguments: [
            ("Exec", exec, "stdin, stdout, stderr"), ("Exec", exec.with("tty", true), "stdin, stdout, stderr"),
            ("Exec", exec.with("tty", true).with("stderr", true).with("stdout", true), "stderr"),
            ("Exec", exec.with("stdout", true).with("cmd", nil), "cmd"),
            ("Exec", exec.with("stdout", true).with("cmd", [""]), "cmd"),
            ("Exec", exec.with("stdout", true).with("container_id", ""), "container_id"),
            ("Attach", attach, "stdin, stdout, stderr"), ("Attach", attach.with("tty", true), "stdin, stdout, stderr"),
            ("Attach", attach.with("tty", true).with("stderr", true), "stderr"),
            ("Attach", attach.with("tty", true).with("stdout", true), "no terminal"),
            ("PortForward", ["pod_sandbox_id": "", "port": [80]], "pod_sandbox_id"),
            ("PortForward", ["pod_sandbox_id": "$POD", "port": [0]], "port"),
            ("PortForward", ["pod_sandbox_id": "$POD", "port": [80, 65_536]], "port"),
            ("PortForward", ["pod_sandbox_id": "$POD", "port": [-1]], "port"),
        ] as [(String, JSON, String)])
    func refused(_ method: String, _ template: JSON, _ reason: String) async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            let id = try await fixture.container(in: pod, start: true)
            let outcome = try await fixture.call(method, template.replacing(["$POD": pod, "$CONTAINER": id]))
            #expect(outcome.code == .invalidArgument)
            #expect(outcome.message.contains(reason), "\(outcome.message)")
            #expect(fixture.recorder.all[.streamTarget] == nil)
        }
    }

    @Test("what does not run has no streams")
    func notRunning() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            let created = try await fixture.container(in: pod, named: "created")
            let ended = try await fixture.container(in: pod, named: "ended", start: true)
            #expect(try await fixture.call("StopContainer", ["container_id": .string(ended)]).isOK)
            for id in [created, ended] {
                for (method, template) in [("Exec", Self.exec), ("Attach", Self.attach)] {
                    let request = template.with("stdout", true).replacing(["$CONTAINER": id])
                    let outcome = try await fixture.call(method, request)
                    #expect(outcome.code == .failedPrecondition, "\(method): \(outcome.message)")
                }
            }
            let forward: JSON = ["pod_sandbox_id": .string(pod), "port": [80]]
            #expect(try await fixture.call("PortForward", forward).isOK)
            #expect(try await fixture.call("StopPodSandbox", ["pod_sandbox_id": .string(pod)]).isOK)
            #expect(try await fixture.call("PortForward", forward).code == .failedPrecondition)
        }
    }

    @Test("an id's prefix is enough, and the URL is the server's")
    func urls() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            let id = try await fixture.container(in: pod, start: true)
            let request = Self.exec.with("stdout", true).with("container_id", .string(String(id.prefix(12))))
            let outcome = try await fixture.call("Exec", request)
            #expect(outcome.response == "{\"url\":\"http://127.0.0.1:1/token\"}")
            #expect(fixture.recorder.all[.streamTarget]?.hasPrefix("exec \(id) ") == true)
            fixture.streaming.fault.withLock { $0 = Fault(.resourceExhausted, "1000 URLs are unused") }
            let refused = try await fixture.call("Exec", request)
            #expect(refused.code == .resourceExhausted && refused.message == "1000 URLs are unused")
        }
    }
}
