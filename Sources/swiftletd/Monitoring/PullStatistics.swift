import ImageStore
import Synchronization

/// The pulls that clients asked for.
final class PullStatistics: MetricsSource {
    private struct Counts {
        var started: UInt64 = 0
        var succeeded: UInt64 = 0
        var failed: UInt64 = 0
    }

    private let counts = Mutex(Counts())
    private let board: PullBoard

    init(board: PullBoard) { self.board = board }

    /// Counts a pull; one that was given up by its client has failed.
    func counted<Result>(_ body: () async throws -> Result) async throws -> Result {
        counts.withLock { $0.started += 1 }
        do {
            let result = try await body()
            counts.withLock { $0.succeeded += 1 }
            return result
        } catch {
            counts.withLock { $0.failed += 1 }
            throw error
        }
    }

    func write(to page: inout MetricsText) {
        let counts = counts.withLock { $0 }
        page.single(
            "swiftlet_image_pulls_started_total", .counter, "Pulls that began, those included whose image was there.",
            "\(counts.started)")
        page.family("swiftlet_image_pulls_total", .counter, "Pulls that have ended, by how.")
        page.sample("swiftlet_image_pulls_total", [("result", "succeeded")], "\(counts.succeeded)")
        page.sample("swiftlet_image_pulls_total", [("result", "failed")], "\(counts.failed)")
        page.single(
            "swiftlet_image_pull_bytes_total", .counter, "Bytes of compressed layers that came from registries.",
            "\(board.layerBytes)")
    }
}
