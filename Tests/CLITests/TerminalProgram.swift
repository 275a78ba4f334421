import CLICore
import Foundation
import Glibc
import Linux
import Synchronization

/// The program `swiftlet` in a terminal, whose keyboard and screen a test is.
final class TerminalProgram: Sendable {
    private struct State {
        var shown = ""
        var isOver = false
        var status: Int32?
    }

    private static let restoredMark = "[mode restored]"
    private static let front = """
        trap : INT QUIT; before=$(stty -g); "$@"; code=$?
        if [ "$(stty -g)" = "$before" ]; then echo "\(restoredMark)"; fi
        exit $code
        """

    private let process: Process
    private let master: FileHandle
    private let state = Mutex(State())
    private let changes: AsyncStream<Void>

    init(
        _ arguments: [String], rows: UInt16 = 24, columns: UInt16 = 80, environment: [String] = [],
        program: String? = nil
    ) throws {
        let change: AsyncStream<Void>.Continuation
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        let devpts = try OwnedFD.open("/dev/pts", [.directory])
        let pair = try Terminal(devpts: devpts)
        try pair.master.setTerminalSize(rows: rows, columns: columns)
        master = FileHandle(fileDescriptor: try pair.master.duplicate().take(), closeOnDealloc: true)
        process = Process()
        // Below a shell, whose terminal is not reset with the program's end: a session's is with its leader's (tty_io.c).
        process.inNewSession(
            ["/bin/sh", "-c", Self.front, "sh", "/usr/bin/env", "-u", "NO_COLOR", "TERM=xterm"] + environment
                + [try program ?? Executable.program().path] + arguments)
        func peer() throws -> FileHandle {
            FileHandle(fileDescriptor: try pair.peer.duplicate().take(), closeOnDealloc: true)
        }
        let ends = [try peer(), try peer(), try peer()]
        process.standardInput = ends[0]
        process.standardOutput = ends[1]
        process.standardError = ends[2]
        process.terminationHandler = { [weak self] ended in
            self?.state.withLock {
                $0.status = ended.terminationStatus + (ended.terminationReason == .uncaughtSignal ? 128 : 0)
            }
            change.yield()
        }
        try process.runWithoutMask()
        // The program has them now, and with it they end.
        for end in ends { try end.close() }
        Executable.readToEnd(master) { [weak self] bytes in
            self?.state.withLock { state in
                state.shown += String(decoding: bytes, as: UTF8.self)
                state.isOver = bytes.isEmpty
            }
            change.yield()
        }
    }

    var shown: String { state.withLock(\.shown) }

    /// Whether the terminal edits lines and echoes, as a shell leaves it.
    var isCooked: Bool {
        var mode = termios()
        guard tcgetattr(master.fileDescriptor, &mode) == 0 else { return false }
        let flags = tcflag_t(ICANON | ECHO | ISIG)
        return mode.c_lflag & flags == flags
    }

    /// Whether the program left the terminal's mode as it had found it.
    var isRestored: Bool { shown.contains(Self.restoredMark) }

    func type(_ text: String) throws { try master.write(contentsOf: Data(text.utf8)) }

    func resize(rows: UInt16, columns: UInt16) throws {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        guard ioctl(master.fileDescriptor, UInt(TIOCSWINSZ), &size) == 0 else {
            throw Failure("resize: errno \(errno)")
        }
    }

    /// Waits until this is on the screen.
    func waitFor(_ text: String) async throws {
        let isThere = { self.state.withLock { $0.shown.contains(text) } }
        if isThere() { return }
        for await _ in changes {
            if isThere() { return }
            if state.withLock({ $0.status != nil }) { throw Failure("the program ended; the screen: \(shown)") }
        }
    }

    /// The process of the program: below setsid and the shell.
    func programID() throws -> Int32 {
        var id = process.processIdentifier
        while true {
            let children = try String(contentsOfFile: "/proc/\(id)/task/\(id)/children", encoding: .utf8)
            guard let child = children.split(separator: " ").first.flatMap({ Int32($0) }) else { return id }
            id = child
        }
    }

    /// Waits for its end and for all that it showed.
    func exitStatus() async throws -> Int32 {
        let status = { self.state.withLock { $0.isOver ? $0.status : nil } }
        if let status = status() { return status }
        for await _ in changes { if let status = status() { return status } }
        throw CancellationError()
    }

    func end() { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
}

extension Process {
    /// Makes this a session of its own, whose terminal is its standard input, with the signals that a shell's programs have.
    func inNewSession(_ command: [String]) {
        executableURL = URL(filePath: "/usr/bin/env")
        arguments = ["--default-signal", "setsid", "--ctty", "--wait"] + command
    }

    /// Runs it with no signal blocked: it would inherit what the threads of this program block, which is nearly all.
    func runWithoutMask() throws {
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try run()
    }
}
