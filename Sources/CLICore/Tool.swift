package import ArgumentParser

/// A program of one command, from its arguments to its exit status.
package enum Tool {
    /// - Parameter name: what errors begin with.
    package static func run<Command: AsyncParsableCommand>(
        _: Command.Type, name: String, _ arguments: [String], console: Console
    ) async -> Int32 {
        do {
            var command = try Command.parse(arguments)
            try await command.run()
            return 0
        } catch let failure as Failure {
            if !failure.message.isEmpty { say("\(name): \(printable(failure.message))\n", console.writeError) }
            return failure.exitStatus
        } catch {
            if Command.exitCode(for: error) == .success {
                say(Command.fullMessage(for: error, columns: 100) + "\n", console.writeOut)
                return 0
            }
            say("\(name): \(Command.message(for: error))\n", console.writeError)
            return Failure.misused
        }
    }

    private static func say(_ text: String, _ write: ([UInt8]) throws -> Void) {
        do { try write(Array(text.utf8)) } catch { return }
    }
}
