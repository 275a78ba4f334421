import ArgumentParser
import CLICore
import Foundation
import Testing

@testable import swiftlet

@Suite struct HelpTests {
    static let commands = Swiftlet.groups.flatMap(\.subcommands).map { $0._commandName }

    @Test("the help of each command is as reviewed", arguments: commands + [""])
    func help(command: String) async throws {
        let captured = CapturedConsole()
        let arguments = command.isEmpty ? ["--help"] : [command, "--help"]
        let status = await Program.run(arguments, environment: [:], console: captured.console)
        #expect(status == 0)
        #expect(captured.err == "")
        let name = command.isEmpty ? "swiftlet" : command
        try Golden.compare(captured.out, with: Golden.packageRoot.appending(path: "Tests/Fixtures/help/\(name).txt"))
    }

    @Test("lines of help fit 100 columns", arguments: commands + [""])
    func helpIsNarrow(command: String) async throws {
        let captured = CapturedConsole()
        _ = await Program.run(command.isEmpty ? [] : [command, "--help"], environment: [:], console: captured.console)
        #expect(captured.out.split(separator: "\n").filter { $0.count > 100 } == [])
    }

    @Test("help is as wide as the terminal, within reason", arguments: [(20, 60), (80, 80), (300, 100)])
    func width(columns: Int, most: Int) async throws {
        for arguments in [["--help"], ["ps", "--help"], ["top", "--help"]] {
            let captured = CapturedConsole(isTerminal: true)
            var console = captured.console
            console.size = { (24, columns) }
            #expect(await Program.run(arguments, environment: [:], console: console) == 0)
            let lines = captured.out.split(separator: "\n").map(\.count)
            // The usage is one line, and so is the name of an option.
            #expect(lines.filter { $0 > most }.count <= 2)
            #expect(lines.contains { $0 > most / 2 })
        }
    }

    @Test("each shell has a completion script that knows the commands", arguments: ["bash", "zsh", "fish"])
    func completion(shell: String) async throws {
        let captured = CapturedConsole()
        #expect(await Program.run(["completion", shell], environment: [:], console: captured.console) == 0)
        for word in ["inspectp", "runtime-endpoint", "no-trunc"] { #expect(captured.out.contains(word)) }
    }

    @Test("the version is printed")
    func version() async throws {
        let captured = CapturedConsole()
        #expect(await Program.run(["--version"], environment: [:], console: captured.console) == 0)
        #expect(captured.out == ProgramVersion.text + "\n")
    }
}
