import CLICore
import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import Synchronization
import Testing

@testable import swiftlet

@Suite struct EventsTests {
    private func events(_ runtime: FakeRuntime) {
        let pod = Runtime_V1_PodSandboxStatus.with {
            $0.id = "pod1"; $0.metadata.name = "web"; $0.metadata.namespace = "default"
        }
        let container = Runtime_V1_ContainerStatus.with {
            $0.id = "box1"; $0.metadata.name = "ng\u{1b}inx"; $0.state = .containerExited; $0.exitCode = 137
            $0.reason = "OOMKilled"
        }
        runtime.world.state.withLock { state in
            state.events = [
                .with {
                    $0.containerID = "pod1"; $0.containerEventType = .containerStartedEvent
                    $0.createdAt = CapturedConsole.now; $0.podSandboxStatus = pod
                },
                .with {
                    $0.containerID = "box1"; $0.containerEventType = .containerStoppedEvent
                    $0.createdAt = CapturedConsole.now + 1_500_000_000; $0.podSandboxStatus = pod
                    $0.containersStatuses = [container]
                },
            ]
        }
    }

    static let formatRows: [(golden: String, arguments: [String])] = [
        ("events", []), ("events-table", ["-o", "table"]), ("events-yaml", ["-o", "yaml"]),
        ("events-template", ["-o", "go-template", "--template", "{{.containerId}} {{.containerEventType}}"]),
    ]

    @Test("events are shown in each format", arguments: formatRows)
    func formats(golden: String, arguments: [String]) async throws {
        try await FakeRuntime.with { runtime in
            events(runtime)
            let result = await runtime.swiftlet(["events"] + arguments)
            #expect((result.status, result.err) == (0, ""))
            #expect(!result.out.contains("\u{1b}"))
            let file = Golden.packageRoot.appending(path: "Tests/Fixtures/cli/\(golden).txt")
            try Golden.compare(result.out, with: file)
        }
    }

    @Test("a stream that fails is said in a sentence")
    func fails() async throws {
        try await FakeRuntime.with { runtime in
            runtime.world.state.withLock { $0.failures["GetContainerEvents"] = .init(code: .unavailable) }
            let result = await runtime.swiftlet("events")
            #expect(result.status == 1)
            #expect(result.err == "swiftlet: follow the events: the runtime is not available\n")
        }
    }

    @Test("--follow comes back to a runtime that was away, and ends with what the runtime refuses")
    func follows() async throws {
        try await FakeRuntime.with { runtime in
            events(runtime)
            runtime.world.state.withLock { state in
                state.failures["GetContainerEvents"] = .init(code: .unavailable, message: "restart")
                state.eventStreamsMax = 2
            }
            let result = await runtime.swiftlet("events", "-f", "-o", "table")
            #expect(result.status == 1)
            // Away, then two streams with both events, then the refusal.
            #expect(result.out.components(separatedBy: "OOMKilled").count == 3)
            #expect(result.err.contains("restart; waiting for it"))
            #expect(result.err.hasSuffix("enough\n"))
        }
    }
}
