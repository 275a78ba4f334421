import CRIProto
import CRIService
import GRPC
import ImageStore
import Model
import SwiftProtobuf
import SwiftletAPI

/// `WatchPulls` of `swiftlet.v1.Node`: the board of pulls, told to clients.
struct PullService: Sendable {
    let board: PullBoard

    /// The shortest time between two messages to one client.
    private static let pause = Duration.milliseconds(100)

    func methods() -> [GRPCMethod] {
        [
            .serverStream(NodeMethods.watchPulls.path) { request, _, writer in
                do {
                    try await self.watchPulls(request, writer)
                } catch let fault as Fault {
                    throw GRPCStatus(fault)
                }
            }
        ]
    }

    /// The state of the watched pulls: at once, and then at every change until the client goes or the daemon ends.
    private func watchPulls(
        _ request: Swiftlet_V1_WatchPullsRequest, _ writer: ResponseWriter<Swiftlet_V1_WatchPullsResponse>
    ) async throws {
        let reference = request.image.isEmpty ? nil : try ImageReference(request.image)
        let watcher = try board.watch(reference)
        defer { board.leave(watcher) }
        // From now on the client misses nothing.
        var told = board.progress(for: watcher)
        try await writer.write(Self.message(told))
        var wakeUps = watcher.wakeUps.makeAsyncIterator()
        while !watcher.isOver {
            // While nothing runs nobody looks; while something does, bytes come in without telling.
            if told.allSatisfy(\.hasEnded), await wakeUps.next() == nil { break }
            let now = board.progress(for: watcher)
            if now != told { try await writer.write(Self.message(now)) }
            told = now
            try await Task.sleep(for: Self.pause)
        }
        throw Fault(.unavailable, "watch pulls: the daemon ends")
    }

    static func message(_ pulls: [PullProgress]) -> Swiftlet_V1_WatchPullsResponse {
        .with { $0.pulls = pulls.map(message) }
    }

    private static func message(_ pull: PullProgress) -> Swiftlet_V1_PullProgress {
        .with { message in
            message.image = pull.reference
            message.startedAt = pull.startedAt
            switch pull.phase {
            case .resolving: message.state = .pullResolving
            case .fetching: message.state = .pullFetching
            case .done: message.state = .pullDone
            case .failed(let error): (message.state, message.error) = (.pullFailed, error)
            }
            message.layers = pull.layers.map(Self.message)
        }
    }

    private static func message(_ layer: LayerProgress) -> Swiftlet_V1_LayerProgress {
        .with { message in
            message.digest = layer.digest.description
            message.bytesTotal = layer.bytesTotal
            message.bytesFetched = layer.bytesFetched
            switch layer.phase {
            case .waiting: message.state = .layerWaiting
            case .fetching: message.state = .layerFetching
            case .unpacking: message.state = .layerUnpacking
            case .done: message.state = .layerDone
            case .present: message.state = .layerPresent
            }
        }
    }
}
