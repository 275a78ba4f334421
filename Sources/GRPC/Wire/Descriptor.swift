import Glibc
package import NIOCore
import NIOPosix

/// What NIO has no option for on the socket below a channel.
package enum Descriptor {
    /// Keeps the socket out of programs that this process starts: NIO makes sockets without CLOEXEC, and a container's
    /// supervisor that inherited the listening socket would hold it for ever.
    package static func closeOnExec(_ channel: any Channel) throws {
        try of(channel) { fcntl($0, F_SETFD, FD_CLOEXEC) }
    }

    /// Lends the descriptor to a system call that returns -1 on failure. On the channel's event loop only.
    static func of(_ channel: any Channel, _ call: (Int32) -> Int32) throws {
        let failure: Int32? = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { descriptor in
            call(descriptor) == -1 ? errno : 0
        }
        guard let failure else { throw ChannelError.operationUnsupported }
        if failure != 0 { throw IOError(errnoCode: failure, reason: "setting up a socket") }
    }
}
