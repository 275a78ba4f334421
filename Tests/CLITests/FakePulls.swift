import CRIProto
import GRPC
import SwiftProtobuf
import SwiftletAPI
import Synchronization

/// A runtime's WatchPulls: what a test says, and the end of a call when the client leaves.
final class FakePulls: Sendable {
    typealias Message = Swiftlet_V1_WatchPullsResponse

    private let watching = AsyncStream.makeStream(of: String.self)
    private let left = AsyncStream.makeStream(of: Void.self)
    private let says: AsyncStream<Message>
    private let say: AsyncStream<Message>.Continuation

    init() { (says, say) = AsyncStream.makeStream(of: Message.self) }

    /// For one client at a time.
    var method: GRPCMethod {
        .serverStream(NodeMethods.watchPulls.path) {
            (request: Swiftlet_V1_WatchPullsRequest, _, writer: ResponseWriter<Message>) in
            defer { self.left.continuation.yield() }
            try await writer.write(.init())
            self.watching.continuation.yield(request.image)
            for await message in self.says { try await writer.write(message) }
        }
    }

    func send(_ pulls: [Swiftlet_V1_PullProgress]) { say.yield(.with { $0.pulls = pulls }) }

    /// Ends the stream of the client.
    func end() { say.finish() }

    /// The image that the next client asks for.
    func untilWatched() async -> String {
        for await image in watching.stream { return image }
        return ""
    }

    /// Returns when a client has left.
    func untilLeft() async { for await _ in left.stream { return } }
}

extension Swiftlet_V1_PullProgress {
    static func fake(
        _ image: String = "docker.io/library/app:1", startedAt: Int64 = 1,
        state: Swiftlet_V1_PullState = .pullFetching, error: String = "",
        layers: (state: Swiftlet_V1_LayerState, fetched: Int64, total: Int64)...
    ) -> Self {
        .with { pull in
            pull.image = image
            pull.startedAt = startedAt
            pull.state = state
            pull.error = error
            pull.layers = layers.enumerated().map { index, layer in
                .with {
                    $0.digest =
                        "sha256:" + String(repeating: String(index % 10), count: 3) + String(repeating: "f", count: 61)
                    $0.state = layer.state
                    $0.bytesFetched = layer.fetched
                    $0.bytesTotal = layer.total
                }
            }
        }
    }
}
