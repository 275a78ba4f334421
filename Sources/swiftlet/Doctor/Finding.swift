import CLICore

/// Something that `doctor` noticed.
struct Finding: Equatable, Sendable {
    /// How bad it is.
    enum Severity: String, Comparable, CaseIterable, Sendable {
        /// Worth knowing; nothing is broken by it.
        case note
        /// Something that pods may ask for does not work, or soon will not.
        case warning
        /// Pods cannot be run as they should.
        case error

        static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .note: 0
            case .warning: 1
            case .error: 2
            }
        }
    }

    var area: Area
    var severity: Severity
    /// What is the case.
    var what: String
    /// What does not work because of it.
    var breaks: String
    /// What to do about it.
    var mend: String

    /// What a check looks at.
    enum Area: String, CaseIterable, Sendable {
        case kernel, cgroups, network, security, disk, unit, daemon, runtime, stale
    }
}

extension Finding {
    /// The finding for programs.
    var tree: JSONValue {
        .object([
            .init("area", .string(area.rawValue)), .init("severity", .string(severity.rawValue)),
            .init("what", .string(what)), .init("breaks", .string(breaks)), .init("mend", .string(mend)),
        ])
    }
}

extension [Finding] {
    mutating func add(
        _ severity: Finding.Severity, _ area: Finding.Area, _ what: String, breaks: String, mend: String
    ) {
        append(Finding(area: area, severity: severity, what: what, breaks: breaks, mend: mend))
    }
}
