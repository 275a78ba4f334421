import ArgumentParser
import CLICore

struct Completion: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the completion script of a shell.",
        usage: "swiftlet completion bash|zsh|fish",
        discussion:
            "For bash: source <(swiftlet completion bash). For zsh and fish, put it where they look for functions.")

    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    @Argument(help: "The shell: bash, zsh or fish.")
    var shell = Shell.bash

    func run() async throws {
        guard let context = CommandContext.current else { throw Failure("the command runs outside of the program") }
        let kind: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        try context.console.out(Manual.completionScript(for: kind) + "\n")
    }
}
