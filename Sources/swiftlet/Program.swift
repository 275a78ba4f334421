import ArgumentParser
import CLICore

/// The program from its arguments to its exit status.
enum Program {
    /// ArgumentParser's option for tools that make documents of commands: every command and option as JSON.
    static let dumpHelp = "--experimental-dump-help"
    /// How a completion script asks for what may stand in a place.
    static let completion = "---completion"

    static func run(_ arguments: [String], environment: [String: String], console: Console) async -> Int32 {
        do {
            try await perform(arguments, environment: environment, console: console)
            return 0
        } catch let failure as Failure {
            return end(by: failure, console)
        } catch is CancellationError {
            return Failure.failed
        } catch {
            return report(error, of: Swiftlet.self, console: console)
        }
    }

    private static func perform(_ arguments: [String], environment: [String: String], console: Console) async throws {
        let (global, words) = GlobalOptions.split(arguments)
        let options: GlobalOptions
        do {
            options = try GlobalOptions.parse(global)
        } catch {
            throw Failure.usage(GlobalOptions.message(for: error))
        }
        let rest = try CommandNames.checked(words)
        if rest.isEmpty || rest == ["--help"] || rest == ["-h"] || rest == ["help"] {
            try console.out(Manual.helpMessage(columns: columns(console)) + "\n")
            if rest.isEmpty { throw Failure.silent(exitStatus: Failure.misused) }
            return
        }
        // What documents are made of has the global options in it.
        if rest == [dumpHelp] { _ = try Manual.parseAsRoot(rest) }
        let context = CommandContext(
            configuration: { () throws(Failure) in try ClientConfiguration(options: options, environment: environment)
            },
            console: console, configurationPath: ClientConfiguration.path(options, environment),
            environment: environment)
        if rest.first == completion {
            return try await CommandContext.$current.withValue(context) { _ = try await Manual.asyncParseAsRoot(rest) }
        }
        var command = try Swiftlet.parseAsRoot(rest)
        try await CommandContext.$current.withValue(context) {
            if var asyncCommand = command as? any AsyncParsableCommand {
                try await asyncCommand.run()
            } else {
                try command.run()
            }
        }
    }

    /// How wide help may be: as the terminal, but lines of more than a hundred characters are no easier to read.
    private static func columns(_ console: Console) -> Int { min(100, max(60, console.size()?.columns ?? 100)) }

    private static func end(by error: any Error, _ console: Console) -> Int32 {
        let failure = error as? Failure ?? Failure("\(error)")
        if !failure.message.isEmpty { bestEffort { try console.err("swiftlet: \(printable(failure.message))\n") } }
        return failure.exitStatus
    }

    /// Says what ArgumentParser has to say: help on standard output, a mistake on standard error.
    private static func report(_ error: any Error, of command: Swiftlet.Type, console: Console) -> Int32 {
        guard Swiftlet.exitCode(for: error) != .success else {
            do { try console.out(Swiftlet.fullMessage(for: error, columns: columns(console)) + "\n") } catch {
                return end(by: error, console)
            }
            return 0
        }
        guard Swiftlet.exitCode(for: error) == .validationFailure else {
            bestEffort { try console.err("swiftlet: \(printable("\(error)"))\n") }
            return Failure.failed
        }
        let message = Swiftlet.message(for: error)
        bestEffort { try console.err("swiftlet: \(message)\nSee 'swiftlet help' and 'swiftlet COMMAND --help'.\n") }
        return Failure.misused
    }
}
