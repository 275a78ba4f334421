import CLICore
import Linux

/// The terminal of this program, handed to a remote process: what is typed goes there unchanged.
///
/// Whoever has made one calls `restore` on every way out; a signal ends the program by `end(by:)`.
struct RawTerminal: Sendable {
    private let before: TerminalMode

    /// Takes the terminal that standard input is.
    init() throws(Failure) {
        do {
            before = try TerminalMode(of: .input)
        } catch {
            throw .usage(
                "the input is not a terminal: leave out --tty (-t) to send what comes through a pipe or from a file")
        }
    }

    func enter() throws(Failure) {
        do { try before.raw.apply(to: .input) } catch { throw Failure("set the terminal's mode: \(error)") }
    }

    func restore() { bestEffort { try before.apply(to: .input) } }

    /// Restores the terminal and ends the program at once, whatever it waits for.
    func end(by signal: Signal) -> Never {
        restore()
        CurrentProcess.exit(128 + signal.rawValue)
    }

    /// Size of the terminal that shows the output, or of the one that is typed at.
    static var size: TerminalSize? {
        for stream in [StandardStream.output, .error, .input] {
            do { return try stream.terminalSize() } catch { continue }
        }
        return nil
    }
}
