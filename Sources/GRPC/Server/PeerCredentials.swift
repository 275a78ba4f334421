import Glibc
import NIOCore

/// Who is at the other end of a connection, as the kernel recorded it at connect time (unix(7), SO_PEERCRED).
package struct PeerCredentials: Sendable, Hashable {
    package var processID: Int32
    package var userID: UInt32
    package var groupID: UInt32

    /// Reads the credentials of a connected Unix socket; nil if the kernel has none.
    static func read(from channel: any Channel) -> EventLoopFuture<PeerCredentials?> {
        guard let options = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededFuture(nil)
        }
        // The kernel writes exactly one `struct ucred` for this option, whose layout KernelCredentials repeats.
        let read: EventLoopFuture<KernelCredentials> = options.unsafeGetSocketOption(
            level: SocketOptionLevel(SOL_SOCKET), name: SocketOptionName(SO_PEERCRED))
        return read.map { credentials -> PeerCredentials? in
            PeerCredentials(processID: credentials.pid, userID: credentials.uid, groupID: credentials.gid)
        }.recover { _ in nil }
    }
}

/// `struct ucred` of unix(7), which Glibc's module hides behind _GNU_SOURCE.
private struct KernelCredentials: Sendable {
    var pid: Int32
    var uid: UInt32
    var gid: UInt32
}
