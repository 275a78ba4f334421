import ArgumentParser
import CLICore
import Foundation
import Glibc

@main
struct Main {
    static func main() async {
        Console.ignoreBrokenPipes()
        exit(await run(Array(ProcessInfo.processInfo.arguments.dropFirst()), console: .standard))
    }

    static func run(_ arguments: [String], console: Console) async -> Int32 {
        do {
            let command = try ConformanceCommand.parse(arguments)
            try await command.run()
            return 0
        } catch let failure as Failure {
            if !failure.message.isEmpty {
                say("swiftlet-conformance: \(printable(failure.message))\n", console.writeError)
            }
            return failure.exitStatus
        } catch {
            if ConformanceCommand.exitCode(for: error) == .success {
                say(ConformanceCommand.fullMessage(for: error, columns: 100) + "\n", console.writeOut)
                return 0
            }
            say("swiftlet-conformance: \(ConformanceCommand.message(for: error))\n", console.writeError)
            return Failure.misused
        }
    }

    private static func say(_ text: String, _ write: ([UInt8]) throws -> Void) {
        do { try write(Array(text.utf8)) } catch { return }
    }
}
