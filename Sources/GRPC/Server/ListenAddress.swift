/// Where a server listens.
package enum ListenAddress: Sendable {
    /// A Unix socket made at a path: `mode` and the owner are in force before anyone they exclude can connect.
    case unix(path: String, mode: UInt16 = 0o660, userID: UInt32? = nil, groupID: UInt32? = nil)

    /// A bound stream socket that the server takes over, for example from systemd.
    case descriptor(Int32)
}

/// Why a server cannot listen.
package enum ListenError: Error, Sendable, Hashable {
    case pathTooLong(String)
    case notASocket(String)
    case inUse(String)
    case failed(operation: String, path: String, reason: String)
}

extension ListenError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .pathTooLong(let path): "listen on \"\(path)\": longer than a socket path may be (103 bytes)"
        case .notASocket(let path): "listen on \"\(path)\": the path exists and is not a socket"
        case .inUse(let path): "listen on \"\(path)\": another server is listening there"
        case .failed(let operation, let path, let reason): "\(operation) \"\(path)\": \(reason)"
        }
    }
}
