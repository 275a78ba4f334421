package import Linux
package import Model

/// Why state on disk could not be read or written.
package enum StateError: Error, Equatable, Sendable {
    /// Another process holds the lock of the root; its pid where the lock file tells it.
    case inUse(root: String, pid: Int32?)
    /// A program newer than this one wrote the record in a way that this one cannot read.
    case newerVersion(file: String, version: UInt32, known: UInt32)
    /// The name of an object cannot be the name of a directory.
    case badName(String)
    /// A root that was opened for reading only was to be written.
    case readOnly(root: String)
    /// The record cannot be written as JSON, or is larger than a record may be.
    case notEncodable(name: String, reason: String)
    /// The record's bytes are not what was written.
    case damaged(file: String, reason: String)
    /// A system call failed.
    case system(operation: String, path: String, errno: Errno)
}

extension StateError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .inUse(let root, let pid):
            "lock \"\(root)\": another swiftletd\(pid.map { " (pid \($0))" } ?? "") uses this root directory; "
                + "stop it or set another \"root\""
        case .newerVersion(let file, let version, let known):
            "read \"\(file)\": written by a newer swiftletd (record version \(version), this one knows \(known))"
        case .badName(let name): "name \"\(name)\" cannot be a record's"
        case .readOnly(let root): "write below \"\(root)\": it was opened for reading only"
        case .notEncodable(let name, let reason): "encode record \"\(name)\": \(reason)"
        case .damaged(let file, let reason): "read \"\(file)\": \(reason)"
        case .system(let operation, let path, let errno): "\(operation) \"\(path)\": \(errno)"
        }
    }

    /// The same as a client of the CRI sees it.
    package var fault: Fault {
        let code: Fault.Code =
            switch self {
            case .inUse, .newerVersion, .readOnly: .failedPrecondition
            case .badName: .invalidArgument
            case .damaged: .dataLoss
            case .notEncodable, .system: .internal
            }
        return Fault(code, description)
    }
}
