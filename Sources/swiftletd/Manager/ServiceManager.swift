import Linux
import Logging

/// The service manager that started the daemon, if it wants to be told of its state: systemd with `Type=notify`.
///
/// The variables stay this process's: no program that the daemon starts inherits its environment (`ProgramSpawn`).
struct ServiceManager: Sendable {
    /// Name of the socket as the kernel takes it; nil where nobody listens.
    let address: [UInt8]?
    /// How long the manager waits for a sign of life; nil where it does not.
    let watchdog: Duration?
    /// What of the environment was not understood, and is ignored.
    let problems: [String]

    /// A queue that stays full for so many tries is given up; the manager has its own deadlines.
    private static let triesMax = 50
    private static let retryPause = Duration.milliseconds(100)
    /// A watchdog quicker than this would be all that the daemon does.
    private static let watchdogMin = Duration.milliseconds(20)

    init(environment: [String: String], process: Int32) {
        var problems: [String] = []
        address = environment["NOTIFY_SOCKET"].flatMap { Self.address($0, &problems) }
        watchdog = Self.watchdog(environment, process: process, &problems)
        self.problems = problems
    }

    private static func address(_ text: String, _ problems: inout [String]) -> [UInt8]? {
        var name = Array(text.utf8)
        // sd_notify(3): a path, or a name of the abstract namespace. unix(7): room for 108 bytes.
        guard let first = name.first, text.hasPrefix("/") || text.hasPrefix("@"), (2...108).contains(name.count) else {
            problems.append("NOTIFY_SOCKET=\"\(text)\" is neither a path nor an abstract name of at most 108 bytes")
            return nil
        }
        if first == UInt8(ascii: "@") { name[0] = 0 }
        return name
    }

    /// sd_watchdog_enabled(3): meant for another process if `WATCHDOG_PID` is not ours.
    private static func watchdog(
        _ environment: [String: String], process: Int32, _ problems: inout [String]
    ) -> Duration? {
        guard let text = environment["WATCHDOG_USEC"] else { return nil }
        if let owner = environment["WATCHDOG_PID"], owner != "\(process)" { return nil }
        guard let microseconds = Int64(text), microseconds > 0 else {
            problems.append("WATCHDOG_USEC=\"\(text)\" is no number of microseconds")
            return nil
        }
        return max(.microseconds(microseconds), watchdogMin)
    }

    /// Tells it something. A manager that is gone or does not read must not stop the daemon: that is logged.
    func tell(_ message: ManagerMessage, _ log: Logger) async {
        guard let address else { return }
        let bytes = Array(message.text.utf8)
        for attempt in 1...Self.triesMax {
            do throws(Errno) {
                return try Datagram.send(bytes, to: address)
            } catch {
                guard error == .again, attempt < Self.triesMax, await pause() else {
                    log.warning(
                        "the service manager was not told",
                        metadata: ["message": "\(message.text.prefix { $0 != "\n" })", "error": "\(error)"])
                    return
                }
            }
        }
    }

    /// False when cancelled.
    private func pause() async -> Bool {
        do {
            try await Task.sleep(for: Self.retryPause)
            return true
        } catch { return false }
    }
}
