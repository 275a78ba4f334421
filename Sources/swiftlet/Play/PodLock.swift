import Linux

/// Says that a process drives a pod. The kernel takes it back from a process that is gone, however it went.
final class PodLock: Sendable {
    private let directory: OwnedFD

    /// Nil if another process holds it: flock(2) on the pod's directory.
    init?(_ directory: consuming OwnedFD) throws(Errno) {
        self.directory = directory
        do throws(Errno) { try self.directory.lock() } catch Errno.again { return nil }
    }
}
