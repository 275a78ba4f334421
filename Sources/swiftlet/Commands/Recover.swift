import ArgumentParser
import CLICore

struct Recover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what the next start of the daemon would do with pods, containers and leftovers.",
        usage: "swiftlet recover --dry-run [OPTIONS]",
        discussion: """
            Recovery is what each start of the daemon does; this command only looks, and changes nothing. It needs root and \
            works while the daemon is down, by asking the daemon's program, which reads the records and asks the \
            supervisors. No daemon can start meanwhile. While one runs, only records are looked at.

            Actions: keep (it stays as it is), exit (it has ended, and its end is known), reset (its start never reached \
            the supervisor), lost (it is gone without a trace of its end: exit code 255), undo (it was half \
            made), remove (nothing knows of it), set-aside (its record is damaged). What is kept by the image store alone, \
            such as half fetched layers, is not shown.

            Ends with 0 if all is kept or ended by itself, with 3 if something would be lost, undone or removed.
            """)

    @Flag(help: "Only look. Without it nothing is done: recovery is done by starting the daemon.")
    var dryRun = false

    @Option(help: "Configuration file of the daemon.", completion: .file())
    var config: String?

    @Option(help: ArgumentHelp("Program of the daemon.", discussion: "Default: the one that is installed beside this."))
    var daemon: String?

    @OptionGroup var output: Output<TableFirst>

    /// Something would be lost, undone or removed.
    static let differs: Int32 = 3

    func run() async throws {
        guard let context = CommandContext.current else { throw Failure("the command runs outside of the program") }
        guard dryRun else {
            throw Failure(
                "recovery is done by starting the daemon (systemctl start swiftlet); --dry-run shows what it would do")
        }
        let text = try RecoveryQuestion.ask(program: daemon, configuration: config)
        try report(try RecoveryAnswer(text), on: context.console)
    }

    /// Shows what was found, and ends with the status that it means.
    func report(_ answer: RecoveryAnswer, on console: Console) throws {
        if output.isTable {
            if answer.daemonRuns {
                let process = answer.daemonProcess.map { " (process \($0))" } ?? ""
                try console.err(
                    "swiftlet: the daemon runs\(process) and has recovered; shown is what its next start would do, by the "
                        + "records alone\n")
            }
            try console.out(answer.table)
            try console.line(answer.summary)
        } else {
            try console.out(output.text(answer.tree))
        }
        if answer.changesAnything { throw Failure.silent(exitStatus: Self.differs) }
    }
}
