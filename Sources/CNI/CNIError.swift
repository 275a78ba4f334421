package import Linux
package import Model

/// Why a pod could not be attached to its network or released from it.
package enum CNIError: Error, Equatable, Sendable {
    /// No network is configured on this node (yet).
    case notConfigured(directory: String)
    /// A configuration file does not say what it must; the reason names the key.
    case badConfiguration(file: String, reason: String)
    /// A value of the request cannot be handed to plugins; `field` is the CRI's name of it.
    case badRequest(field: String, reason: String)
    /// None of the plugin directories has the program.
    case pluginMissing(plugin: String, directories: [String])
    /// The plugin could not be started.
    case pluginNotStarted(plugin: String, errno: Errno)
    /// The plugin said why it failed, or ended with a failure and said nothing that can be read.
    case pluginFailed(plugin: String, command: String, reason: String, code: Int?)
    /// The time for the whole operation was over; the plugin's process group was killed.
    case timedOut(plugin: String, command: String, limit: Duration)
    /// The plugin succeeded but what it printed is not a result.
    case badResult(plugin: String, reason: String)
    /// The record of the attachment cannot be used.
    case badRecord(file: String, reason: String)
    /// The pod is attached already, or an attachment of it was not undone.
    case alreadyAttached(PodID)
    /// A system call failed.
    case system(operation: String, path: String, errno: Errno)
}

extension CNIError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notConfigured(let directory): "no network configuration in \"\(directory)\""
        case .badConfiguration(let file, let reason): "network configuration \"\(file)\": \(reason)"
        case .badRequest(let field, let reason): "\(field): \(reason)"
        case .pluginMissing(let plugin, let directories):
            "find cni plugin \"\(plugin)\": not in \(directories.map { "\"\($0)\"" }.joined(separator: ", "))"
        case .pluginNotStarted(let plugin, let errno): "start cni plugin \"\(plugin)\": \(errno)"
        case .pluginFailed(let plugin, let command, let reason, let code):
            "cni plugin \"\(plugin)\" \(command): \(reason)\(code.map { " (code \($0))" } ?? "")"
        case .timedOut(let plugin, let command, let limit):
            "cni plugin \"\(plugin)\" \(command): no answer within \(limit.components.seconds) s, killed"
        case .badResult(let plugin, let reason): "cni plugin \"\(plugin)\" ADD: unusable result: \(reason)"
        case .badRecord(let file, let reason): "network record \"\(file)\": \(reason)"
        case .alreadyAttached(let pod): "attach pod \"\(pod)\" to its network: a record of an attachment exists"
        case .system(let operation, let path, let errno): "\(operation) \"\(path)\": \(errno)"
        }
    }

    /// The same as a client of the CRI sees it.
    package var fault: Fault {
        let code: Fault.Code =
            switch self {
            case .badRequest: .invalidArgument
            case .notConfigured, .badConfiguration, .pluginMissing: .failedPrecondition
            case .timedOut: .deadlineExceeded
            case .alreadyAttached: .alreadyExists
            case .badRecord: .dataLoss
            case .pluginNotStarted, .pluginFailed, .badResult, .system: .internal
            }
        return Fault(code, description)
    }
}
