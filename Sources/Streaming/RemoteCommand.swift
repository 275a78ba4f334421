import Linux
import Model
import NIOCore

/// What a client of a remote command has: those streams that it asked for, and one for the status.
struct CommandStreams {
    var input: (any ClientStream)?
    var output: (any ClientStream)?
    var error: (any ClientStream)?
    var status: (any ClientStream)?
    var resize: (any ClientStream)?

    /// Those that the request has as well; a client may say what it likes on the others.
    func asked(for choice: StreamChoice) -> CommandStreams {
        let unread = [choice.stdin ? nil : input, output, error, status, choice.tty ? nil : resize]
        for case let stream? in unread { stream.receiver = Discarder(stream) }
        return CommandStreams(
            input: choice.stdin ? input : nil, output: choice.stdout ? output : nil, error: choice.stderr ? error : nil,
            status: status, resize: choice.tty ? resize : nil)
    }
}

/// One exec or attach: connects a client's streams with those of a process. On the event loop.
///
///     starting --target has it--> running --process ends--> draining --EOF, or time is up--> over
///
/// A client that goes ends every phase. Before the process has ended, the session is abandoned for it, once: at once, or as soon
/// as the target hands the session over.
final class RemoteCommand {
    /// What a client's URL stands for.
    enum Work: Sendable {
        case exec(ExecStream)
        case attach(AttachStream)
    }

    private enum Phase {
        case starting
        case running(any StreamSession)
        case draining(CommandStatus)
        case over
    }

    /// More than a pipe holds: after that, and the drain time, output is that of children.
    private static let leftoverBytesMax = 1 << 20

    private let core: StreamingCore
    private let work: Work
    private let streams: CommandStreams
    private let hasJSONStatus: Bool
    private let connection: any ClientConnection
    private var phase = Phase.starting
    private var input: InputWriter?
    private var resizes: ResizeReader?
    private var readers: [OutputReader] = []
    private var openReaders = 0
    private var exit: Task<Void, Never>?
    private var bytesAtExit = 0
    /// A size that came while the last one was being set; older ones are forgotten.
    private var nextSize: WindowSize?
    private var isResizing = false

    /// Takes the streams over, and begins.
    init(
        _ work: Work, _ streams: CommandStreams, hasJSONStatus: Bool, connection: any ClientConnection,
        core: StreamingCore
    ) {
        self.core = core
        self.work = work
        self.streams = streams
        self.hasJSONStatus = hasJSONStatus
        self.connection = connection
        start()
    }

    /// The client's connection has ended.
    func clientIsGone() {
        let last = phase
        if case .running(let session) = last { session.clientIsGone() }
        over()
        guard case .running(let session) = last else { return }
        // It may wait for a process that goes on without us.
        exit?.cancel()
        core.run { await session.abandon() }
    }

    // MARK: Starting

    private func start() {
        if let stream = streams.input {
            input = InputWriter(from: stream, core.readiness) { [weak self] in self?.inputEnded() }
        }
        if let stream = streams.resize {
            resizes = ResizeReader(stream) { [weak self] in self?.resize($0) }
        }
        let command = NIOLoopBound(self, eventLoop: core.loop)
        let (work, target, loop) = (work, core.target, core.loop)
        core.run {
            let started: Result<any StreamSession, Fault>
            do throws(Fault) {
                switch work {
                case .exec(let request): started = .success(try await target.exec(request))
                case .attach(let request): started = .success(try await target.attach(request))
                }
            } catch {
                started = .failure(error)
            }
            loop.execute { command.value.hasStarted(started) }
        }
    }

    private func hasStarted(_ result: Result<any StreamSession, Fault>) {
        switch (phase, result) {
        case (.starting, .success(let session)): begin(session)
        case (.starting, .failure(let fault)): end(with: .failure("\(failurePrefix): \(fault)"))
        // The client went meanwhile.
        case (_, .success(let session)):
            session.clientIsGone()
            for handover in [session.input, session.output, session.error] { _ = handover?.take() }
            core.run { await session.abandon() }
        case (_, .failure): return
        }
    }

    private func begin(_ session: any StreamSession) {
        phase = .running(session)
        let command = NIOLoopBound(self, eventLoop: core.loop)
        let loop = core.loop
        exit = core.run {
            let result: Result<Int32, Fault>
            do throws(Fault) { result = .success(try await session.exitCode()) } catch { result = .failure(error) }
            loop.execute { command.value.hasEnded(result) }
        }
        if let size = nextSize { resize(size) }
        if let stream = streams.output { read(session.output?.take(), to: stream) }
        if let stream = streams.error { read(session.error?.take(), to: stream) }
        // From here on anything may end the connection, and with it the command.
        input?.open(session.input?.take())
        for reader in readers { reader.run() }
    }

    private func read(_ fd: consuming OwnedFD?, to stream: any ClientStream) {
        guard let fd = fd.take() else { return stream.finish() }
        openReaders += 1
        readers.append(
            OutputReader(fd, to: stream, core.readiness, on: core.loop) { [weak self] in self?.readerEnded() })
    }

    // MARK: Running

    private func inputEnded() {
        guard case .running(let session) = phase else { return }
        core.run { await session.inputEnded() }
    }

    /// One size at a time: a client that resizes in a storm gets the last one.
    private func resize(_ size: WindowSize) {
        nextSize = size
        guard case .running(let session) = phase, !isResizing else { return }
        nextSize = nil
        isResizing = true
        let command = NIOLoopBound(self, eventLoop: core.loop)
        let loop = core.loop
        core.run {
            await session.resize(rows: size.rows, columns: size.columns)
            loop.execute {
                command.value.isResizing = false
                if let next = command.value.nextSize { command.value.resize(next) }
            }
        }
    }

    private func readerEnded() {
        openReaders -= 1
        if case .draining(let status) = phase, openReaders == 0 { end(with: status) }
    }

    // MARK: The end

    private func hasEnded(_ result: Result<Int32, Fault>) {
        guard case .running = phase else { return }
        let status: CommandStatus =
            switch (work, result) {
            case (_, .failure(let fault)): .failure("\(failurePrefix): \(fault)")
            case (.exec, .success(let code)) where code != 0: .exitCode(code)
            // Nobody asks how a container ended by attaching to it.
            case (_, .success): .success
            }
        phase = .draining(status)
        if openReaders == 0 { return end(with: status) }
        bytesAtExit = byteCount
        awaitLeftovers()
    }

    private var byteCount: Int { readers.reduce(0) { $0 + $1.byteCount } }

    /// What the process wrote is in the kernel, and is read without waiting; children of its may keep the output open for ever.
    private func awaitLeftovers() {
        core.loop.assumeIsolated().scheduleTask(in: core.configuration.drainTime.timeAmount) {
            guard case .draining(let status) = self.phase else { return }
            let isDone = self.byteCount - self.bytesAtExit > Self.leftoverBytesMax
            if !isDone, self.readers.contains(where: \.isHeldByClient) { return self.awaitLeftovers() }
            self.end(with: status)
        }
    }

    private func end(with status: CommandStatus) {
        over()
        let text = status.text(inJSON: hasJSONStatus)
        for stream in [streams.output, streams.error] { stream?.finish() }
        if !text.isEmpty { streams.status?.write(ByteBuffer(string: text)) }
        streams.status?.finish()
        connection.close()
    }

    private func over() {
        phase = .over
        input?.close()
        for reader in readers { reader.close() }
    }

    private var failurePrefix: String {
        switch work {
        case .exec: "error executing command in container"
        case .attach: "error attaching to container"
        }
    }
}
