import ArgumentParser
import CLICore
import SwiftProtobuf
import SwiftletAPI

struct LogLevel: RuntimeCommand {
    static let configuration = CommandConfiguration(
        commandName: "log-level",
        abstract: "Show or change what the daemon logs, without a restart.",
        usage: "swiftlet log-level [LEVEL]",
        discussion: """
            Levels: trace, debug, info, notice, warning, error, critical. A level that is set here is in force until \
            `swiftlet reload` or the next start, which go by the configuration file. Answered during recovery too.
            """)

    @Argument(
        help: "The level; without it the present one is shown.",
        completion: .list(["trace", "debug", "info", "notice", "warning", "error", "critical"]))
    var level: String?

    func run(_ session: Session) async throws {
        let response = try await session.runtime.call(
            NodeMethods.logLevel, .with { $0.level = level ?? "" }, within: session.quick,
            to: level == nil ? "ask for the log level" : "set the log level")
        let isChanged = response.level != response.previous
        try session.console.line(
            printable(response.level) + (isChanged ? " (was \(printable(response.previous)))" : ""))
    }
}
