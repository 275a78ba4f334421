import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import SwiftletAPI
import Synchronization
import TestKit
import Testing

extension WholeDaemon {
    /// The export of traces to a collector in the node's network.
    @Suite(.serialized) struct Tracing {}
}

extension WholeDaemon.Tracing {
    private static let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func `a pod's start is a tree of spans below its caller's, over TCP`() async throws {
        let node = try Node.current
        let received = Received()
        try await withCollector(on: node, received.method) {
            // The connection to the collector stays: it is made before anything is counted.
            try await node.runPod(try node.podConfig("untraced-caller")).remove()
            try await eventually("spans of a call without a caller") {
                received.spans.contains { $0.name.hasSuffix("/RemovePodSandbox") && $0.parentSpanID.isEmpty }
            }
            let client = try await GRPCClient(unixPath: node.socket)
            try await node.leavesNothing {
                let headers: [(String, Bool?)] = [
                    (Self.header, true), (Self.header.uppercased(), false),
                    (String(Self.header.dropLast(2)) + "00", nil),
                ]
                for (header, isBelow) in headers {
                    try await expectSpans(node, client, received, header: header, isBelow: isBelow)
                }
            }
            await client.close()
        }
    }

    /// - Parameter isBelow: whether spans belong below the header's; nil where there are to be none.
    private func expectSpans(
        _ node: Node, _ client: GRPCClient, _ received: Received, header: String, isBelow: Bool?
    ) async throws {
        let config = try node.podConfig("traced")
        let answer: Runtime_V1_RunPodSandboxResponse = try await client.unary(
            CRIMethods.runPodSandbox.path, Runtime_V1_RunPodSandboxRequest.with { $0.config = config },
            metadata: [("traceparent", header)])
        let pod = Pod(node: node, id: answer.podSandboxID, config: config)
        let container = try await pod.start()
        try await pod.stop()
        try await pod.remove()
        // Calls come to the collector in the order of their ends.
        try await eventually("the last call's span") {
            received.spans.contains { $0.name.hasSuffix("/RemovePodSandbox") && $0.isOf(pod.id) }
        }
        let spans = received.spans
        let run = spans.first { $0.name.hasSuffix("/RunPodSandbox") && $0.isOf(pod.id) }
        guard let isBelow else {
            #expect(run == nil)
            return
        }
        let call = try #require(run)
        let caller = Data([0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31])
        #expect(call.parentSpanID == (isBelow ? caller : Data()) && call.kind == .server)
        #expect((call.traceID.first == 0x0a && call.traceID.last == 0x9c) == isBelow)
        #expect(call.attributes.text("k8s.pod.name") == config.metadata.name)
        #expect(call.attributes.text("k8s.namespace.name") == "tests")
        let stages = spans.filter { $0.parentSpanID == call.spanID }
        for name in ["record", "cgroup", "supervisor", "network"] {
            #expect(stages.contains { $0.name == name && $0.endTimeUnixNano > $0.startTimeUnixNano }, "\(name)")
        }
        let network = try #require(stages.first { $0.name == "network" })
        let plugins = spans.filter { $0.parentSpanID == network.spanID }
        #expect(plugins.first?.name == "plugin" && plugins[0].attributes.text("swiftlet.detail") == "bridge ADD")
        #expect((stages + plugins).allSatisfy { $0.traceID == call.traceID })
        #expect(stages.allSatisfy { $0.startTimeUnixNano >= call.startTimeUnixNano })
        #expect(stages.allSatisfy { $0.endTimeUnixNano <= call.endTimeUnixNano })
        let start = try #require(spans.first { $0.attributes.text("container.id") == container.id })
        #expect(start.parentSpanID.isEmpty && start.traceID != call.traceID)
    }

    @Test func `a collector that never answers holds up neither pods nor the daemon's end`() async throws {
        let node = try Node.current
        let asked = Flag()
        let stuck = GRPCMethod.unary(TraceServiceMethods.export.path) {
            (_: OTLPExportTraceServiceRequest, _) -> OTLPExportTraceServiceResponse in
            asked.isSet.withLock { $0 = true }
            for await _ in AsyncStream<Void>.makeStream().stream {}
            throw GRPCStatus(code: .unavailable)
        }
        try await withCollector(on: node, stuck) {
            let pod = try await node.runPod(try node.podConfig("untold"))
            _ = try await pod.start()
            try await eventually("the collector is asked") { asked.isSet.withLock { $0 } }
            try await pod.stop()
            try await pod.remove()
        }
        #expect(try node.logged("spans are lost with the daemon's end"))
    }

    @Test func `without a collector pods run, and it is said once`() async throws {
        let node = try Node.current
        try await withTracing(on: node, "unix://\(node.root)/no-collector.sock") {
            for _ in 0..<3 { try await node.withPod("untold") { pod in _ = try await pod.start() } }
            try await eventually("it is said") { try node.logged("traces are not exported") }
        }
        let said = try node.logLines().filter { $0.contains("traces are not exported") && $0.contains("no-collector") }
        #expect(said.count == 1)
    }

    // MARK: - A collector

    /// Serves one method at an address of the node's own network, and has the daemon send spans there.
    private func withCollector(
        on node: Node, _ method: GRPCMethod, _ body: () async throws -> Void
    ) async throws {
        let socket = try await node.loopbackSocket()
        let server = try await GRPCServer.start([method], at: .descriptor(socket.descriptor))
        try await withTracing(on: node, "http://127.0.0.1:\(socket.port)", body)
        #expect(await server.shutdown(grace: .seconds(10)) == 0)
    }

    /// Runs `body` with a daemon that exports; ends it as systemd would, and gives the node its own one back.
    private func withTracing(on node: Node, _ endpoint: String, _ body: () async throws -> Void) async throws {
        let file = URL(fileURLWithPath: node.path(node.configuration))
        let original = try node.text(node.configuration)
        try await node.endDaemon(SIGTERM)
        try Data((original + "\n[tracing]\nendpoint = \"\(endpoint)\"\n").utf8).write(to: file)
        try await node.startDaemon()
        do { try await body() } catch { Issue.record("\(error)") }
        try await node.endDaemon(SIGTERM)
        try Data(original.utf8).write(to: file)
        try await node.startDaemon()
    }
}

private final class Flag: Sendable { let isSet = Mutex(false) }

/// What a collector was given.
private final class Received: Sendable {
    private let kept = Mutex<[OTLPSpan]>([])

    var spans: [OTLPSpan] { kept.withLock { $0 } }

    var method: GRPCMethod {
        .unary(TraceServiceMethods.export.path) {
            (request: OTLPExportTraceServiceRequest, _) -> OTLPExportTraceServiceResponse in
            self.kept.withLock { $0 += request.resourceSpans.flatMap(\.scopeSpans).flatMap(\.spans) }
            return OTLPExportTraceServiceResponse()
        }
    }
}

extension OTLPSpan {
    fileprivate func isOf(_ pod: String) -> Bool { attributes.text("swiftlet.pod_sandbox.id") == pod }
}

extension [OTLPKeyValue] {
    fileprivate func text(_ key: String) -> String? { first { $0.key == key }?.value.stringValue }
}
