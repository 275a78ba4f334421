import Model
import Synchronization

/// Users that were looked up, so that a container's start costs no mount. An image never changes under its id.
final class UserCache: Sendable {
    private struct Key: Hashable {
        var image: Digest
        var text: String
    }
    private let known = Mutex<[Key: ImageUser]>([:])

    private static let countMax = 1024
    private static let groupsMax = 64

    func user(_ text: String, of image: Digest) -> ImageUser? { known.withLock { $0[Key(image: image, text: text)] } }

    func keep(_ user: ImageUser, _ text: String, of image: Digest) {
        guard text.utf8.count <= 256, user.additionalGroups.count <= Self.groupsMax else { return }
        known.withLock { known in
            if known.count >= Self.countMax { known.removeAll() }
            known[Key(image: image, text: text)] = user
        }
    }

    func forget(_ image: Digest) { known.withLock { known in known = known.filter { $0.key.image != image } } }
}
