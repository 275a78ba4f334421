import Glibc
import NIOCore
import NIOPosix

/// Why a stream could not be had, or ended before its time: a sentence.
package struct StreamError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    /// An error of the network in plain words.
    init(_ operation: String, _ error: any Error) {
        self = error as? StreamError ?? StreamError("\(operation): \(Self.words(error))")
    }

    /// What the system said, without NIO's own words around it.
    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            return error.connectionErrors.first.map { words($0.error) } ?? "\(error.dnsAError ?? error)"
        case let error as IOError:
            switch error.errnoCode {
            case EADDRINUSE: return "the address is in use already"
            case EADDRNOTAVAIL: return "the address is not this machine's"
            case EACCES, EPERM: return "permission denied"
            case ECONNREFUSED: return "connection refused"
            case ECONNRESET, EPIPE: return "connection reset"
            case ENETUNREACH, EHOSTUNREACH: return "there is no way to it"
            case ETIMEDOUT: return "timed out"
            default: return "\(error)"
            }
        case ChannelError.connectTimeout: return "timed out"
        default: return "\(error)"
        }
    }
}
