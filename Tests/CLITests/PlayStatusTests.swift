import CLICore
import CRIProto
import Foundation
import Synchronization
import Testing

@testable import swiftlet

/// What `play` tells scripts, and how it leaves pods.
@Suite struct PlayStatusTests {
    private func arguments(_ runtime: FakeRuntime, _ yaml: String, _ flags: String...) throws -> [String] {
        let file = try runtime.scratch.write("pod.yaml", yaml)
        return ["play", "--state-dir", runtime.scratch.path + "/state", "--back-off-scale", "0.01"] + flags + [file]
    }

    @Test("-o json writes the pods' status in the API's shape, and changes go to standard error")
    func json() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let result = await runtime.swiftlet(try arguments(runtime, PlayCommandTests.demo, "-o", "json", "--rm"))
            #expect(result.status == 0)
            #expect(result.err.hasPrefix("default/demo: Pending\n"))
            #expect(result.err.hasSuffix("Removed pod default/demo\n"))
            let tree = try JSONParser.parse(result.out.utf8)
            guard case .array(let items)? = tree["items"], let status = items.first?["status"],
                case .array(let containers)? = status["containerStatuses"], let main = containers.first,
                case .array(let initial)? = status["initContainerStatuses"]
            else {
                Issue.record("\(result.out)")
                return
            }
            #expect(items.first?["metadata"]?["name"]?.text == "demo")
            #expect(status["phase"]?.text == "Succeeded")
            #expect(main["restartCount"] == .number("2"))
            #expect(main["state"]?["terminated"]?["exitCode"] == .number("0"))
            #expect(main["state"]?["terminated"]?["reason"]?.text == "Completed")
            #expect(main["lastState"]?["terminated"]?["exitCode"] == .number("1"))
            #expect(initial.map { $0["ready"] } == [.bool(true), .bool(false)])
            #expect(initial.map { $0["state"]?["terminated"]?["exitCode"] } == [.number("0"), .number("143")])
        }
    }

    @Test("-o yaml tells of a pod that failed")
    func yaml() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let result = await runtime.swiftlet(
                try arguments(runtime, PlayCommandTests.pod("args: [exit 3]"), "-o", "yaml"))
            #expect(result.status == 1)
            #expect(result.out.hasPrefix("apiVersion: v1\nkind: List\nitems:\n"))
            #expect(result.out.contains("phase: Failed\n"))
            #expect(result.out.contains("exitCode: 3\n"))
        }
    }

    @Test("--detach ends when the pods are ready and leaves them to a later play")
    func detached() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addImage("busybox:1")
            let yaml = PlayCommandTests.pod("args: [stay], readinessProbe: {exec: {command: [x]}}", policy: "Always")
            let result = await runtime.swiftlet(try arguments(runtime, yaml, "--detach", "-o", "json"))
            #expect(result.status == 0)
            #expect(result.err.contains("default/p/main: Running, ready\n"))
            #expect(result.err.contains("the pods go on without restarts and probes"))
            #expect(result.out.contains("\"phase\": \"Running\""))
            #expect(runtime.world.state.withLock { $0.pods.values.map(\.status.state) } == [.sandboxReady])
            let again = await runtime.swiftlet(try arguments(runtime, yaml, "--detach"))
            #expect(again.status == 0)
            #expect(again.out.hasPrefix("default/p: taken over"))
            // Never ready: one that is ready for a moment may be left in that moment.
            let late = "args: [exit 1], readinessProbe: {exec: {command: [x]}, initialDelaySeconds: 3600}"
            let failed = await runtime.swiftlet(
                try arguments(runtime, PlayCommandTests.pod(late, name: "bad"), "--detach"))
            #expect(failed.status == 1)
        }
    }
}
