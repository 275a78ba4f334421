import Glibc
import Linux
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

    private static let keepAliveProbes: Int32 = 4
    /// include/net/tcp.h, MAX_TCP_KEEPIDLE.
    private static let keepAliveSecondsMax: Int64 = 32767

    /// Asks after a client that is silent for a time, and misses it after a second one.
    static func keepAlive(_ channel: any Channel, _ time: Duration) throws {
        let seconds = Int32(clamping: max(1, min(time.components.seconds, keepAliveSecondsMax)))
        try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            try TCPConnection.keepAlive(
                $0, afterSeconds: seconds, everySeconds: max(1, seconds / keepAliveProbes), probes: keepAliveProbes)
        }
    }
}
