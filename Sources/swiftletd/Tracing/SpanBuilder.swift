import Foundation
import Lifecycle
import Model
import SwiftProtobuf
import SwiftletAPI

/// Makes OpenTelemetry spans of operations: one for the call, and below it one for each stage.
struct SpanBuilder: Sendable {
    private static let scope = "swiftletd"
    /// The caller's flags are in the lowest byte (OTLP, SpanFlags).
    private static let parentIsKnown: UInt32 = 0x100
    private static let parentIsRemote: UInt32 = 0x200

    let resource: OTLPResource

    /// - Parameter host: the node's name.
    init(host: String) {
        resource = .with {
            $0.attributes = [
                Self.attribute("service.name", "swiftlet"), Self.attribute("service.version", Version.current),
                Self.attribute("host.name", host), Self.attribute("os.type", "linux"),
            ]
        }
    }

    /// The spans that `spans(of:)` makes of it.
    static func count(_ record: OperationRecord) -> Int { 1 + record.stages.count }

    func request(_ records: [OperationRecord]) -> OTLPExportTraceServiceRequest {
        .with {
            $0.resourceSpans = [
                .with {
                    $0.resource = resource
                    $0.scopeSpans = [
                        .with {
                            $0.scope = .with { ($0.name, $0.version) = (Self.scope, Version.current) }
                            $0.spans = records.flatMap(Self.spans)
                        }
                    ]
                }
            ]
        }
    }

    static func spans(of record: OperationRecord) -> [OTLPSpan] {
        let trace = record.caller.map { Data($0.traceID) } ?? random(16)
        let begin = UInt64(max(0, record.startedAt))
        let end = begin &+ UInt64(max(1, record.duration))
        let flags = UInt32(record.caller?.flags ?? 1) | parentIsKnown
        let call = OTLPSpan.with {
            $0.traceID = trace
            $0.spanID = random(8)
            $0.traceState = record.caller?.state ?? ""
            if let caller = record.caller { $0.parentSpanID = Data(caller.spanID) }
            $0.flags = record.caller == nil ? flags : flags | parentIsRemote
            $0.name = "runtime.v1.RuntimeService/" + record.name
            $0.kind = .server
            ($0.startTimeUnixNano, $0.endTimeUnixNano) = (begin, end)
            $0.attributes = attributes(of: record)
            if !record.error.isEmpty { $0.status = .with { ($0.code, $0.message) = (.error, record.error) } }
        }
        var spans = [call]
        for stage in record.stages {
            spans.append(
                .with {
                    $0.traceID = trace
                    $0.spanID = random(8)
                    $0.traceState = call.traceState
                    // A stage stands behind the one that it is a part of.
                    $0.parentSpanID = stage.parent.map { spans[$0 + 1].spanID } ?? call.spanID
                    $0.flags = flags
                    $0.name = stage.name.rawValue
                    $0.kind = .internal
                    $0.startTimeUnixNano = begin &+ UInt64(max(0, stage.start))
                    // One that goes on after the call ends with it.
                    $0.endTimeUnixNano =
                        stage.duration == 0 ? end : $0.startTimeUnixNano &+ UInt64(max(1, stage.duration))
                    if !stage.detail.isEmpty { $0.attributes = [attribute("swiftlet.detail", stage.detail)] }
                    if stage.hasFailed { $0.status = .with { $0.code = .error } }
                })
        }
        return spans
    }

    /// Names by OpenTelemetry's semantic conventions (RPC, Kubernetes, Container).
    private static func attributes(of record: OperationRecord) -> [OTLPKeyValue] {
        let subject = record.subject
        return [
            ("rpc.system", "grpc"), ("rpc.service", "runtime.v1.RuntimeService"), ("rpc.method", record.name),
            ("k8s.pod.name", subject.podName), ("k8s.namespace.name", subject.podNamespace),
            ("k8s.pod.uid", subject.podUID), ("k8s.container.name", subject.containerName),
            ("container.id", subject.container), ("swiftlet.pod_sandbox.id", subject.pod.text),
        ].filter { !$0.1.isEmpty }.map { attribute($0.0, $0.1) }
    }

    private static func attribute(_ key: String, _ value: String) -> OTLPKeyValue {
        .with {
            $0.key = key
            $0.value = .with { $0.stringValue = value }
        }
    }

    /// Random bytes that are not all zero, as ids have to be.
    private static func random(_ count: Int) -> Data {
        Data((0..<count).map { $0 == 0 ? UInt8.random(in: 1...255) : UInt8.random(in: 0...255) })
    }
}
