import NIOCore
import SPDY

/// A remote command over SPDY: waits until the client has opened a stream for everything that it asked for.
final class SPDYCommandConnection: SPDYSessionDelegate, ClientConnection {
    private let core: StreamingCore
    private let work: RemoteCommand.Work
    private let version: RemoteCommandVersion
    private var streams = CommandStreams()
    private var session: SPDYSession?
    private var command: RemoteCommand?
    private var timer: Scheduled<Void>?

    init(_ work: RemoteCommand.Work, _ version: RemoteCommandVersion, _ core: StreamingCore) {
        self.work = work
        self.version = version
        self.core = core
    }

    /// Gives the client its time, from now on.
    func begin(_ session: SPDYSession) {
        self.session = session
        let time = TimeAmount.nanoseconds(core.configuration.creationTimeout.nanoseconds)
        timer = core.loop.assumeIsolated().scheduleTask(in: time) { self.close() }
    }

    func close() { session?.close() }

    func session(_ session: SPDYSession, opened stream: SPDYStream) {
        guard command == nil, let place = place(of: stream), streams[keyPath: place] == nil else {
            return stream.reset(.refusedStream)
        }
        streams[keyPath: place] = SPDYClientStream(stream)
        stream.accept()
        if isComplete { start() }
    }

    func sessionEnded(_ session: SPDYSession, _ failure: SPDYError?) {
        timer?.cancel()
        timer = nil
        command?.clientIsGone()
        command = nil
        self.session = nil
    }

    private func place(of stream: SPDYStream) -> WritableKeyPath<CommandStreams, (any ClientStream)?>? {
        switch stream.headers["streamType"] {
        case "error": \.status
        case "stdin": \.input
        case "stdout": \.output
        case "stderr": \.error
        case "resize": version.hasResize ? \.resize : nil
        default: nil
        }
    }

    private var isComplete: Bool {
        let choice = work.streams
        return streams.status != nil && (!choice.stdin || streams.input != nil)
            && (!choice.stdout || streams.output != nil) && (!choice.stderr || streams.error != nil)
            && (!choice.tty || !version.hasResize || streams.resize != nil)
    }

    private func start() {
        timer?.cancel()
        timer = nil
        command = RemoteCommand(
            work, streams.asked(for: work.streams), hasJSONStatus: version.hasJSONStatus, connection: self, core: core)
    }
}

extension RemoteCommand.Work {
    var streams: StreamChoice {
        switch self {
        case .exec(let request): request.streams
        case .attach(let request): request.streams
        }
    }
}
