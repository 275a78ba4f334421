import ArgumentParser
import CLICore

/// What stands around a command: the global options and the console. ArgumentParser makes commands itself, so this reaches
/// them through the task.
struct CommandContext: Sendable {
    var configuration: @Sendable () throws(Failure) -> ClientConfiguration
    var console: Console
    /// The client's configuration file, whether it is there or not.
    var configurationPath = ClientConfiguration.standardFile
    var environment: [String: String] = [:]

    @TaskLocal static var current: CommandContext?
}

/// A command that talks to the runtime.
protocol RuntimeCommand: AsyncParsableCommand {
    func run(_ session: Session) async throws
}

extension RuntimeCommand {
    mutating func run() async throws {
        guard let context = CommandContext.current else { throw Failure("the command runs outside of the program") }
        let command = self
        try await Session.run(try context.configuration(), console: context.console) { session in
            try await command.run(session)
        }
    }
}
