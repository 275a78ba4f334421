import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import SwiftletAPI
import Synchronization
import TestKit

/// An OpenTelemetry collector that keeps what it gets; what it answers is the test's.
final class Collector: Sendable {
    typealias Answer = @Sendable (OTLPExportTraceServiceRequest) async throws -> OTLPExportTraceServiceResponse

    private struct State {
        var requests: [OTLPExportTraceServiceRequest] = []
        var waiters: [(isEnough: @Sendable ([OTLPSpan]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())
    private let answer: Answer

    init(_ answer: @escaping Answer = { _ in .init() }) { self.answer = answer }

    var requests: [OTLPExportTraceServiceRequest] { state.withLock { $0.requests } }
    var spans: [OTLPSpan] { Self.spans(requests) }

    var method: GRPCMethod {
        .unary(TraceServiceMethods.export.path) {
            (request: OTLPExportTraceServiceRequest, _) -> OTLPExportTraceServiceResponse in
            let answer = try await self.answer(request)
            self.keep(request)
            return answer
        }
    }

    func start(on socket: LoopbackSocket) async throws -> GRPCServer {
        try await GRPCServer.start([method], at: .descriptor(socket.descriptor))
    }

    /// Returns when the spans that were taken are enough.
    func wait(_ isEnough: @escaping @Sendable ([OTLPSpan]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if isEnough(Self.spans(state.requests)) { return true }
                state.waiters.append((isEnough, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    private func keep(_ request: OTLPExportTraceServiceRequest) {
        let ready = state.withLock { state in
            state.requests.append(request)
            let spans = Self.spans(state.requests)
            let ready = state.waiters.filter { $0.isEnough(spans) }
            state.waiters.removeAll { $0.isEnough(spans) }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    private static func spans(_ requests: [OTLPExportTraceServiceRequest]) -> [OTLPSpan] {
        requests.flatMap(\.resourceSpans).flatMap(\.scopeSpans).flatMap(\.spans)
    }
}

extension [OTLPKeyValue] {
    /// The text of an attribute.
    subscript(_ key: String) -> String? { first { $0.key == key }?.value.stringValue }
}
