import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import SwiftletAPI
import TestKit
import Testing

extension WholeDaemon {
    /// What a daemon tells of pulls while they run, to those who watch.
    @Suite(.serialized) struct PullProgress {}
}

extension WholeDaemon.PullProgress {
    private static let big = "docker.io/swiftlet/big:latest"

    @Test func `two watchers see a pull through to its end, and one that goes disturbs nobody`() async throws {
        let node = try Node.current
        let (all, one, gone) = (
            try await Watcher(node, ""), try await Watcher(node, "swiftlet/big"), try await Watcher(node, "")
        )
        let pull = Task { try await node.pull(Self.big) }
        _ = try await gone.message { $0.state == .pullFetching }
        await gone.close()
        for watcher in [all, one] {
            var fetched: Int64 = 0
            var messages = 0
            let last = try await watcher.message { progress in
                messages += 1
                let now = progress.layers.reduce(0) { $0 + $1.bytesFetched }
                #expect(progress.image == Self.big && now >= fetched, "\(now) after \(fetched)")
                fetched = now
                return progress.state == .pullDone
            }
            // The first layer is the one of busybox, which is there.
            #expect(last.layers.map(\.state) == [.layerPresent] + Array(repeating: .layerDone, count: 4), "\(last)")
            #expect(last.layers.dropFirst().allSatisfy { $0.bytesTotal > 0 && $0.bytesFetched == $0.bytesTotal })
            #expect(
                last.layers.allSatisfy { $0.digest.hasPrefix("sha256:") } && last.startedAt > 0 && last.error.isEmpty)
            #expect(messages >= 2)
        }
        _ = try await pull.value
        await all.close()
        await one.close()
        try await node.call(CRIMethods.removeImage, .with { $0.image.image = Self.big })
    }

    @Test func `a pull that fails says why, in the words of the call`() async throws {
        let node = try Node.current
        let watcher = try await Watcher(node, "")
        for image in ["docker.io/swiftlet/layers:128", "docker.io/no/such:1"] {
            let refused = try await node.refusal(of: CRIMethods.pullImage, .with { $0.image.image = image })
            let last = try await watcher.message { $0.image == image && $0.state == .pullFailed }
            #expect(refused.code != .ok && last.error == refused.message, "\(last)")
        }
        await watcher.close()
        let invalid = try await Watcher.refusal(node, "UPPER:::")
        #expect(invalid.code == .invalidArgument, "\(invalid)")
    }

    @Test func `watchers that went left their places, and one too many is refused`() async throws {
        let node = try Node.current
        for _ in 0..<3 {
            var watchers: [Watcher] = []
            for _ in 0..<60 { watchers.append(try await Watcher(node, "")) }
            for watcher in watchers { await watcher.close() }
        }
        var watchers: [Watcher] = []
        try await eventually("the places are free again") {
            do {
                while watchers.count < 64 { watchers.append(try await Watcher(node, "")) }
                return true
            } catch let status as GRPCStatus where status.code == .resourceExhausted {
                return false
            }
        }
        #expect(try await Watcher.refusal(node, "").code == .resourceExhausted)
        for watcher in watchers { await watcher.close() }
    }

    @Test func `the daemon ends at once although somebody watches`() async throws {
        let node = try Node.current
        let watcher = try await Watcher(node, "")
        try await node.endDaemon(SIGTERM)
        #expect(try await watcher.end().code == .unavailable)
        await watcher.close()
        try await node.startDaemon()
    }
}

/// A connection that watches pulls, and has its first message.
private struct Watcher {
    typealias Message = Swiftlet_V1_WatchPullsResponse

    private let client: GRPCClient
    private let stream: ResponseStream<Message>

    init(_ node: Node, _ image: String) async throws {
        client = try await GRPCClient(unixPath: node.socket)
        do {
            stream = try client.serverStream(
                NodeMethods.watchPulls.path, Swiftlet_V1_WatchPullsRequest.with { $0.image = image })
            guard try await stream.makeAsyncIterator().next()?.pulls.isEmpty == true else {
                throw TestFailure("a pull is under way")
            }
        } catch {
            await client.close()
            throw error
        }
    }

    static func refusal(_ node: Node, _ image: String) async throws -> GRPCStatus {
        do {
            await (try Watcher(node, image)).close()
            return .ok
        } catch let status as GRPCStatus {
            return status
        }
    }

    /// The first state of a pull for which `isWanted` holds.
    func message(_ isWanted: (Swiftlet_V1_PullProgress) throws -> Bool) async throws -> Swiftlet_V1_PullProgress {
        while let message = try await stream.makeAsyncIterator().next() {
            for pull in message.pulls where try isWanted(pull) { return pull }
        }
        throw TestFailure("the stream ended")
    }

    /// How the stream ends.
    func end() async throws -> GRPCStatus {
        do {
            while try await stream.makeAsyncIterator().next() != nil {}
            return .ok
        } catch {
            return error
        }
    }

    func close() async { await client.close() }
}
