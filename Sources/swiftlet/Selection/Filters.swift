import CLICore
import CRIProto

/// The labels of --label flags: as for crictl, commas stand between several. Labels themselves have none.
func parseLabels(_ flags: [String]) throws(Failure) -> [String: String] {
    try parsePairs(
        flags.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }, "--label")
}

/// What flags of KEY=VALUE say; the last one of a key wins.
func parsePairs(_ values: [String], _ flag: String) throws(Failure) -> [String: String] {
    var pairs: [String: String] = [:]
    for value in values {
        let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let key = parts.first, !key.isEmpty else {
            throw .usage("\(flag) \"\(printable(value))\": expected KEY=VALUE")
        }
        pairs[String(key)] = String(parts[1])
    }
    return pairs
}

/// A pattern of a filter flag; an empty one lets everything pass.
struct NamePattern {
    private let regex: Regex<AnyRegexOutput>?

    init(_ pattern: String?, flag: String) throws(Failure) {
        guard let pattern, !pattern.isEmpty else { regex = nil; return }
        do {
            regex = try Regex(pattern)
        } catch {
            throw .usage("\(flag) \"\(printable(pattern))\": not a regular expression")
        }
    }

    func matches(_ text: String) -> Bool {
        guard let regex else { return true }
        return text.firstMatch(of: regex) != nil
    }
}

/// How many of a sorted list to show.
func countLimit(latest: Bool, last: Int?) throws(Failure) -> Int? {
    if let last, last < 0 { throw .usage("--last \(last): expected 0 or more") }
    if latest { return 1 }
    guard let last, last > 0 else { return nil }
    return last
}

/// The state that --state means for containers.
func parseContainerState(_ text: String) throws(Failure) -> Runtime_V1_ContainerState {
    switch text.lowercased() {
    case "created": .containerCreated
    case "running": .containerRunning
    case "exited": .containerExited
    case "unknown": .containerUnknown
    default: throw .usage("--state \"\(printable(text))\": expected created, running, exited or unknown")
    }
}

/// The state that --state means for pods.
func parsePodState(_ text: String) throws(Failure) -> Runtime_V1_PodSandboxState {
    switch text.lowercased() {
    case "ready": .sandboxReady
    case "notready": .sandboxNotready
    default: throw .usage("--state \"\(printable(text))\": expected ready or notready")
    }
}

extension Runtime_V1_ContainerState {
    /// The state as a word in a table.
    var word: String {
        switch self {
        case .containerCreated: "Created"
        case .containerRunning: "Running"
        case .containerExited: "Exited"
        case .containerUnknown, .UNRECOGNIZED: "Unknown"
        }
    }
}

extension Runtime_V1_PodSandboxState {
    /// The state as a word in a table.
    var word: String {
        switch self {
        case .sandboxReady: "Ready"
        case .sandboxNotready: "NotReady"
        case .UNRECOGNIZED: "Unknown"
        }
    }
}

/// The labels by which the kubelet tells whose container it is.
enum PodLabel {
    static let name = "io.kubernetes.pod.name"
    static let namespace = "io.kubernetes.pod.namespace"
}
