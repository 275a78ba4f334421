import Glibc
import NIOCore
import NIOPosix

/// What NIO has no option for on the socket below a channel.
enum SocketSetup {
    /// Keeps the socket out of programs that this process starts: NIO makes sockets without CLOEXEC.
    static func closeOnExec(_ channel: any Channel) throws {
        let failure: Int32? = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { descriptor in
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == -1 ? errno : 0
        }
        guard let failure else { throw ChannelError.operationUnsupported }
        if failure != 0 { throw IOError(errnoCode: failure, reason: "set close-on-exec") }
    }
}
