import Foundation
import Model
import SwiftProtobuf
import SwiftletAPI
import Testing

@testable import Lifecycle
@testable import swiftletd

/// Operations as the lifecycle would record them.
enum SampleOperation {
    static func start(caller: TraceParent? = nil, error: String = "") -> OperationRecord {
        OperationRecord(
            name: "RunPodSandbox",
            subject: .init(pod: .random(), podName: "web", podNamespace: "default", podUID: "uid"), caller: caller,
            startedAt: 1_000_000_000, duration: 9_000_000, error: error,
            stages: [
                .init(name: .network, start: 1_000_000, duration: 5_000_000, parent: nil, hasFailed: true),
                .init(name: .plugin, detail: "bridge ADD", start: 2_000_000, duration: 3_000_000, parent: 0),
                .init(name: .undo, start: 7_000_000),
            ])
    }
}

@Suite struct SpanTests {
    @Test func `a call is a span, and its stages are spans below it, as they are within each other`() throws {
        let record = SampleOperation.start()
        let spans = SpanBuilder.spans(of: record)
        #expect(spans.count == SpanBuilder.count(record))
        #expect(
            spans.map(\.name) == ["runtime.v1.RuntimeService/RunPodSandbox", "network", "plugin", "undo"])
        #expect(Set(spans.map(\.traceID)).count == 1 && spans[0].traceID.count == 16)
        #expect(Set(spans.map(\.spanID)).count == 4 && spans.allSatisfy { $0.spanID.count == 8 })
        #expect(spans.map(\.parentSpanID) == [Data(), spans[0].spanID, spans[1].spanID, spans[0].spanID])
        #expect(spans.map(\.kind) == [.server, .internal, .internal, .internal])
        #expect(spans.map(\.startTimeUnixNano) == [1_000_000_000, 1_001_000_000, 1_002_000_000, 1_007_000_000])
        // What still runs when the call returns ends with it.
        #expect(spans.map(\.endTimeUnixNano) == [1_009_000_000, 1_006_000_000, 1_005_000_000, 1_009_000_000])
        #expect(spans.allSatisfy { $0.flags == 0x101 && $0.traceState.isEmpty })
        #expect(spans.map(\.status.code) == [.unset, .error, .unset, .unset])
        #expect(spans[2].attributes["swiftlet.detail"] == "bridge ADD")
        let attributes = spans[0].attributes
        for (key, value) in [
            "k8s.pod.name": "web", "k8s.namespace.name": "default", "k8s.pod.uid": "uid",
            "rpc.method": "RunPodSandbox",
            "swiftlet.pod_sandbox.id": record.subject.pod.text,
        ] { #expect(attributes[key] == value, "\(key)") }
        #expect(attributes["container.id"] == nil)
        #expect(SpanBuilder.spans(of: record)[0].traceID != spans[0].traceID)
    }

    @Test func `a caller's span is the parent, with its flags and state`() throws {
        let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"
        let caller = try #require(TraceParent(header: header, state: "vendor=1"))
        let spans = SpanBuilder.spans(of: SampleOperation.start(caller: caller))
        #expect(spans[0].parentSpanID == Data([0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]))
        #expect(spans.allSatisfy { $0.traceID == Data(caller.traceID) && $0.traceState == "vendor=1" })
        #expect(spans[0].flags == 0x303 && spans[1].flags == 0x103)
        #expect(spans[1].parentSpanID == spans[0].spanID)
    }

    @Test func `a failed call has its error as the status`() {
        let spans = SpanBuilder.spans(of: SampleOperation.start(error: "plugin failed"))
        #expect(spans[0].status.code == .error && spans[0].status.message == "plugin failed")
    }
}
