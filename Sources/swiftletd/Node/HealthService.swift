import CRIProto
import GRPC
import SwiftProtobuf
import SwiftletAPI
import Synchronization

/// gRPC's health service: whether the daemon answers, for probes that speak gRPC (`grpc_health_probe`, a load balancer).
///
/// All services have one state: there is one daemon behind them.
final class HealthService: Sendable {
    /// What may be asked for; the empty name is the server as a whole.
    static let services: Set<String> = [
        "", "runtime.v1.RuntimeService", "runtime.v1.ImageService", "swiftlet.v1.Node",
    ]
    /// Watching calls at a time; each costs a task.
    static let watchersMax = 64

    private struct State {
        var isServing = false
        var hasEnded = false
        var watchers: [UInt64: AsyncStream<Bool>.Continuation] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Recovery is done.
    func begin() {
        state.withLock { state in
            guard !state.hasEnded else { return }
            state.isServing = true
            for watcher in state.watchers.values { watcher.yield(true) }
        }
    }

    /// The daemon ends: whoever watches is told so, and its call ends.
    func end() {
        let watchers = state.withLock { state in
            (state.isServing, state.hasEnded) = (false, true)
            defer { state.watchers = [:] }
            return Array(state.watchers.values)
        }
        // Under no lock: the end of a stream comes back as `forget`.
        for watcher in watchers {
            watcher.yield(false)
            watcher.finish()
        }
    }

    /// Calls that watch now.
    var watcherCount: Int { state.withLock { $0.watchers.count } }

    func methods() -> [GRPCMethod] {
        [
            .inline(HealthMethods.check.path) { request, _ throws(GRPCStatus) in try self.check(request) },
            .serverStream(HealthMethods.watch.path) { request, _, writer in try await self.watch(request, writer) },
        ]
    }

    private func check(_ request: GRPCHealthCheckRequest) throws(GRPCStatus) -> GRPCHealthCheckResponse {
        guard Self.services.contains(request.service) else {
            throw GRPCStatus(code: .notFound, message: "service \"\(request.service.prefix(256))\" is not known")
        }
        let isServing = state.withLock { $0.isServing }
        return .with { $0.status = isServing ? .serving : .notServing }
    }

    /// The state now and at every change. What a slow client misses are states that have passed.
    private func watch(
        _ request: GRPCHealthCheckRequest, _ writer: ResponseWriter<GRPCHealthCheckResponse>
    ) async throws {
        let isKnown = Self.services.contains(request.service)
        var told: GRPCHealthCheckResponse.ServingStatus?
        for await isServing in try changes() {
            let status: GRPCHealthCheckResponse.ServingStatus =
                isKnown ? (isServing ? .serving : .notServing) : .serviceUnknown
            if status != told { try await writer.write(.with { $0.status = status }) }
            told = status
        }
        throw GRPCStatus(code: .unavailable, message: "the daemon ends")
    }

    private func changes() throws(GRPCStatus) -> AsyncStream<Bool> {
        let (stream, continuation) = AsyncStream.makeStream(of: Bool.self, bufferingPolicy: .bufferingNewest(1))
        let isTaken = state.withLock { state in
            guard state.watchers.count < Self.watchersMax else { return false }
            continuation.yield(state.isServing)
            if state.hasEnded {
                continuation.finish()
                return true
            }
            let number = state.next
            state.next += 1
            state.watchers[number] = continuation
            continuation.onTermination = { [weak self] _ in self?.forget(number) }
            return true
        }
        guard isTaken else {
            throw GRPCStatus(
                code: .resourceExhausted, message: "\(Self.watchersMax) calls watch the health of this daemon already")
        }
        return stream
    }

    private func forget(_ number: UInt64) { state.withLock { $0.watchers[number] = nil } }
}
