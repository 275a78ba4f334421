import LaunchProtocol
import Linux
import Model
import Streaming
import SupervisorClient

/// Our ends of an exec's streams.
struct ExecStreams {
    var input: FDHandover?
    var output: FDHandover?
    var error: FDHandover?
    /// For its size.
    var terminal: SharedDescriptor?
    /// Reads a terminal's output that nobody wants, so that nobody waits for its reader.
    var discarder: PipeCollector?

    init() {}

    /// Pipes, whose other ends take the next slots in the order of `ExecRequest.Streams.passed`.
    init(_ choice: StreamChoice, _ slots: inout DescriptorTable) throws(Errno) {
        if choice.stdin {
            var pipe = try Pipe(nonBlockingWriter: true)
            slots.append(pipe.takeReading())
            input = FDHandover(pipe.takeWriting())
        }
        if choice.stdout { output = try Self.output(&slots) }
        if choice.stderr { error = try Self.output(&slots) }
    }

    private static func output(_ slots: inout DescriptorTable) throws(Errno) -> FDHandover {
        var pipe = try Pipe(nonBlockingReader: true)
        slots.append(pipe.takeWriting())
        return FDHandover(pipe.takeReading())
    }

    /// A terminal's serving end: nobody but us has this open file, so that it may be made non-blocking.
    init(_ choice: StreamChoice, terminal: SharedDescriptor?, reactor: Reactor) throws(Errno) {
        guard let terminal else { throw .noTerminal }
        try terminal.fd.setNonBlocking(true)
        self.terminal = terminal
        if choice.stdin { input = FDHandover(try terminal.fd.duplicate()) }
        if choice.stdout {
            output = FDHandover(try terminal.fd.duplicate())
        } else {
            discarder = PipeCollector(try terminal.fd.duplicate(), bytesMax: 0, reactor: reactor)
        }
    }
}

/// An exec whose streams a client has. It does not outlive its client: the last reference kills it.
final class ExecSession: StreamSession {
    let input: FDHandover?
    let output: FDHandover?
    let error: FDHandover?
    private let terminal: SharedDescriptor?
    private let run: ExecRun

    init(_ streams: ExecStreams, process: Bytes, leaf: ExecLeaf, connection: SupervisorConnection) {
        input = streams.input
        output = streams.output
        error = streams.error
        terminal = streams.terminal
        run = ExecRun(process, leaf, connection, discarder: streams.discarder)
    }

    deinit { run.leaf.kill() }

    /// The pipe is closed already; a terminal knows no end of its input but the character for it.
    func inputEnded() async {}

    func resize(rows: UInt16, columns: UInt16) async {
        guard let terminal else { return }
        // The terminal is gone when its process is, and then it has no size.
        do throws(Errno) { try terminal.fd.setTerminalSize(rows: rows, columns: columns) } catch { return }
    }

    func exitCode() async throws(Fault) -> Int32 { try await run.end.value.get() }

    func clientIsGone() { run.leaf.kill() }

    func abandon() async {
        run.leaf.kill()
        // How it ended is of no interest any more.
        _ = await run.end.value
    }
}

/// A running exec; its end takes away all that was made for it.
final class ExecRun: Sendable {
    let leaf: ExecLeaf
    let end: Task<Result<Int32, Fault>, Never>

    init(_ process: Bytes, _ leaf: ExecLeaf, _ connection: SupervisorConnection, discarder: PipeCollector?) {
        self.leaf = leaf
        end = Task {
            let result = await Self.exitCode(of: process, leaf, connection)
            discarder?.stop()
            await leaf.end(isSpoiled: !result.hasEndedByItself)
            return result
        }
    }

    private static func exitCode(
        of process: Bytes, _ leaf: ExecLeaf, _ connection: SupervisorConnection
    ) async -> Result<Int32, Fault> {
        do throws(SupervisorError) {
            guard let record = try await connection.exit(of: process) else {
                return .failure(.internal("exec: no exit code"))
            }
            connection.forgetLater(process)
            return .success(record.exitCode)
        } catch {
            leaf.kill()
            return .failure(Fault(.internal, "exec", cause: "\(error)"))
        }
    }

    /// Lets the supervisor forget a process that was killed, when it has ended.
    static func forget(_ process: Bytes, _ connection: SupervisorConnection, within time: Duration) async {
        // A supervisor that is gone has forgotten.
        do throws(SupervisorError) { _ = try await connection.exit(of: process, within: time) } catch { return }
        connection.forgetLater(process)
    }
}

extension Result<Int32, Fault> {
    fileprivate var hasEndedByItself: Bool {
        if case .success(let code) = self { code != ExecLeaf.killedCode } else { false }
    }
}
