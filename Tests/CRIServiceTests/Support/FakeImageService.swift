import CRIService
import Model
import Synchronization

/// Images in memory, and what was asked for.
final class FakeImageService: ImageServicePort {
    struct State {
        var images: [ImageSummary] = []
        var pulls: [(reference: String, credentials: PullCredentials)] = []
        var failure: Fault?
    }

    let state = Mutex(State())
    static let id = "sha256:" + String(repeating: "a", count: 64)
    static let otherID = "sha256:" + String(repeating: "b", count: 64)

    init() {
        state.withLock { state in
            state.images = [
                Self.summary(Self.id, "docker.io/library/busybox:latest"),
                Self.summary(Self.otherID, "docker.io/library/web:1"),
            ]
        }
    }

    static func summary(_ id: String, _ tag: String) -> ImageSummary {
        ImageSummary(
            id: id, repoTags: [tag], repoDigests: [], sizeBytes: 4096, uid: 1000, username: "", isPinned: true,
            configurationJSON: "{\"Cmd\":[\"sh\"]}")
    }

    func pull(_ reference: String, credentials: PullCredentials) async throws -> String {
        let failure = state.withLock { state in
            state.pulls.append((reference, credentials))
            return state.failure
        }
        if let failure { throw failure }
        return Self.id
    }

    func list() async throws -> [ImageSummary] { state.withLock { $0.images } }

    func image(_ reference: String) async throws -> ImageSummary? {
        state.withLock { $0.images.first { $0.id == reference || $0.repoTags.contains(reference) } }
    }

    func remove(_ reference: String) async throws {
        state.withLock { $0.images.removeAll { $0.id == reference || $0.repoTags.contains(reference) } }
    }

    func usage() async throws -> (images: FilesystemUse, containers: FilesystemUse) {
        (
            FilesystemUse(timestamp: 5, mountpoint: "/root/images", usedBytes: 10, inodesUsed: 2),
            FilesystemUse(timestamp: 6, mountpoint: "/root/containers", usedBytes: 20, inodesUsed: 3)
        )
    }
}
