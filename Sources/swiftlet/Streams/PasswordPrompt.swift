import CLICore
import Linux
import UnixSignals

/// Asks for a password on the terminal that standard input is, which shows nothing of it and has its mode back on every way out.
enum PasswordPrompt {
    private enum Event: Sendable {
        case typed([UInt8]?)
        case signal(Signal)
        case failed(Failure)
    }

    static func ask(for user: String) async throws -> String {
        let before: TerminalMode
        do {
            before = try TerminalMode(of: .input)
        } catch {
            throw Failure.usage(
                "the password of \"\(printable(user))\" is asked for on a terminal, and the input is none: use --creds "
                    + "USERNAME:PASSWORD, --auth, or $CRICTL_CREDS")
        }
        let restore = { bestEffort { try before.apply(to: .input) } }
        let input = try StandardInput()
        let (events, source) = AsyncStream.makeStream(of: Event.self)
        // Before the mode changes: a signal that comes in between would leave it changed.
        let signals = await UnixSignalsSequence(trapping: [.sigterm, .sighup, .sigint, .sigquit, .sigcont])
        do { try before.hidden.apply(to: .input) } catch { throw Failure("set the terminal's mode: \(error)") }
        defer { restore() }
        // Not a file's or a pipe's business: the terminal itself is asked, as ssh(1) does.
        try CommandContext.current?.console.err("Password of \"\(printable(user))\": ")
        return try await withThrowingTaskGroup(of: Void.self) { group in
            defer {
                group.cancelAll()
                input.cancel()
            }
            group.addTask { for await signal in signals { source.yield(.signal(Signal(rawValue: signal.rawValue))) } }
            group.addTask {
                // A terminal that edits lines hands on one at a time, of 4095 bytes at most (termios(3)).
                do { source.yield(.typed(try await input.read())) } catch {
                    source.yield(.failed(Failure("read the password: \(error)")))
                }
            }
            for await event in events {
                switch event {
                case .typed(let bytes): return try password(bytes)
                case .failed(let failure): throw failure
                case .signal(.continue): bestEffort { try before.hidden.apply(to: .input) }
                case .signal(let signal):
                    restore()
                    CurrentProcess.exit(128 + signal.rawValue)
                }
            }
            throw CancellationError()
        }
    }

    private static func password(_ bytes: [UInt8]?) throws -> String {
        guard let bytes, bytes.last == UInt8(ascii: "\n") else { throw Failure("no password was typed") }
        guard let text = String(validating: bytes.dropLast(), as: UTF8.self) else {
            throw Failure("the password is not UTF-8, which the CRI demands")
        }
        return text
    }
}
