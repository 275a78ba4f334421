import Glibc
import NIOCore
import NIOPosix

/// Why a client cannot reach a server.
package struct ConnectError: Error, Sendable, Hashable {
    /// What an operator can act on.
    package enum Reason: Sendable, Hashable {
        /// There is no socket at the path: the daemon never ran, or listens elsewhere.
        case noSuchFile
        /// The socket belongs to others.
        case permissionDenied
        /// There is a socket, but nobody listens on it.
        case refused
        /// The path does not fit a socket address.
        case pathTooLong
        /// Anything else, with the system's words.
        case other(String)
    }

    package let path: String
    package let reason: Reason

    init(path: String, error: any Error) {
        self.path = path
        switch Self.cause(of: error) {
        case let error as IOError:
            switch error.errnoCode {
            case ENOENT, ENOTDIR: reason = .noSuchFile
            case EACCES, EPERM: reason = .permissionDenied
            // EAGAIN: the listener's queue is full (connect(2)).
            case ECONNREFUSED, EAGAIN: reason = .refused
            default: reason = .other("\(error)")
            }
        case SocketAddressError.unixDomainSocketPathTooLong: reason = .pathTooLong
        default: reason = .other("\(error)")
        }
    }

    /// Of several addresses of a name: what went wrong with the first.
    private static func cause(of error: any Error) -> any Error {
        (error as? NIOConnectionError)?.connectionErrors.first?.error ?? error
    }
}

extension ConnectError: CustomStringConvertible {
    package var description: String {
        let text =
            switch reason {
            case .noSuchFile: "no such file"
            case .permissionDenied: "permission denied"
            case .refused: "connection refused: nobody is listening"
            case .pathTooLong: "longer than a socket path may be"
            case .other(let text): text
            }
        return "connect \"\(path)\": \(text)"
    }
}
