import Synchronization

/// What the layers of one pull have used of the image's limits; they are unpacked side by side.
final class UnpackBudget: Sendable {
    private struct Used {
        var bytes: Int64 = 0
        var inodes: Int64 = 0
    }
    let limits: ImageLimits
    private let used = Mutex(Used())

    init(limits: ImageLimits) { self.limits = limits }

    func addBytes(_ count: Int) throws(ImageStoreError) {
        let total = used.withLock { used in
            used.bytes += Int64(count)
            return used.bytes
        }
        if total > limits.bytesMax {
            throw .limitExceeded("unpack image: its layers have more than \(limits.bytesMax) bytes")
        }
    }

    func addInode() throws(ImageStoreError) {
        let total = used.withLock { used in
            used.inodes += 1
            return used.inodes
        }
        if total > limits.inodesMax {
            throw .limitExceeded("unpack image: its layers have more than \(limits.inodesMax) files")
        }
    }
}
