/// What a service manager is told: lines of `NAME=value` in one datagram (sd_notify(3)).
enum ManagerMessage: Equatable, Sendable {
    /// For people: what the daemon does right now.
    case status(String)
    /// Start or reload is over: calls are answered.
    case ready(status: String)
    /// The configuration is being read again; the time tells this reload from an earlier one.
    case reloading(monotonicMicroseconds: Int64)
    case stopping(status: String)
    /// The daemon works; without it for `WATCHDOG_USEC` the manager ends and restarts it.
    case alive

    /// Bytes of a status; a manager takes no datagram of any size.
    private static let statusBytesMax = 512

    var text: String {
        switch self {
        case .status(let text): "STATUS=\(Self.line(text))"
        case .ready(let text): "READY=1\nSTATUS=\(Self.line(text))"
        case .reloading(let time): "RELOADING=1\nMONOTONIC_USEC=\(time)\nSTATUS=reading the configuration again"
        case .stopping(let text): "STOPPING=1\nSTATUS=\(Self.line(text))"
        case .alive: "WATCHDOG=1"
        }
    }

    /// A status is one line: the next one would be another assignment.
    private static func line(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || scalar.value == 0x7f
            guard line.utf8.count + UTF8.width(scalar) <= statusBytesMax else { break }
            line.unicodeScalars.append(isControl ? " " : scalar)
        }
        return line
    }
}
