import NIOCore
import SPDY

/// remotecommand over SPDY/3.1: a stream for each of the process's, one for the status, one for the terminal's size.
final class SPDYWire: RemoteWire, SPDYSessionDelegate, SPDYStreamDelegate {
    private static let version = "v4.channel.k8s.io"

    private let inbox: Inbox
    private let streams: RemoteStreams
    private var session: SPDYSession?
    private var statusStream: SPDYStream?
    private var input: SPDYStream?
    private var output: SPDYStream?
    private var error: SPDYStream?
    private var size: SPDYStream?
    private var status = RemoteStatus()
    /// Streams of the server's that have not ended.
    private var open: Set<UInt32> = []
    private var isInputGone = false
    /// Whoever waits for the server to take more input.
    private var waiter: EventLoopPromise<Void>?

    init(inbox: Inbox, streams: RemoteStreams) {
        self.inbox = inbox
        self.streams = streams
    }

    // MARK: - RemoteWire

    func handlers(_ url: StreamURL, upgraded: EventLoopPromise<String>) throws -> [any ChannelHandler] {
        let session = try SPDYSession(role: .client, delegate: self)
        self.session = session
        let done = upgraded.futureResult.eventLoop.makePromise(of: String.self)
        done.futureResult.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let version): upgraded.completeWith(self.openStreams(version))
            case .failure(let error): upgraded.fail(error)
            }
        }
        return [
            SPDYUpgrade(
                path: url.path, host: url.authority, protocols: [Self.version], session: session, upgraded: done)
        ]
    }

    func send(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>) {
        guard let input, !isInputGone else { return promise.fail(ChannelError.ioOnClosedChannel) }
        input.write(bytes)
        if input.isWritable || isInputGone { return promise.succeed() }
        waiter = promise
    }

    func endInput() -> Bool {
        input?.finish()
        return true
    }

    func resize(_ json: ByteBuffer) { size?.write(json) }

    func consumed(_ item: Inbox.Item) {
        (item.isError ? error : output)?.consumed(item.bytes.readableBytes)
    }

    func sayGoodbye() { session?.close() }

    /// The error stream first, as servers expect it.
    private func openStreams(_ version: String) -> Result<String, any Error> {
        guard version == Self.version else {
            return .failure(StreamError("the server chose the protocol \"\(version)\", which was not offered"))
        }
        statusStream = stream("error")
        if streams.stdin { input = stream("stdin") }
        if streams.stdout { output = stream("stdout") }
        if streams.stderr { error = stream("stderr") }
        if streams.tty { size = stream("resize") }
        guard statusStream != nil else { return .failure(StreamError("the server closed the connection")) }
        open = Set([statusStream, output, error].compactMap { $0?.id })
        return .success(version)
    }

    private func stream(_ type: String) -> SPDYStream? {
        session?.open(["streamtype": type], delegate: self)
    }

    // MARK: - Events

    func session(_ session: SPDYSession, opened stream: SPDYStream) { stream.reset(.refusedStream) }

    func stream(_ stream: SPDYStream, received bytes: ByteBuffer) {
        switch stream.id {
        case output?.id: inbox.push(Inbox.Item(isError: false, bytes: bytes))
        case error?.id: inbox.push(Inbox.Item(isError: true, bytes: bytes))
        default:
            stream.consumed(bytes.readableBytes)
            guard stream.id == statusStream?.id, !status.append(bytes) else { return }
            inbox.finish(.failure(StreamError("the server's status of the command has no end")))
            session?.close()
        }
    }

    func streamEnded(_ stream: SPDYStream) { close(stream) }

    func streamReset(_ stream: SPDYStream, _ status: SPDYResetStatus) { close(stream) }

    func streamBecameWritable(_ stream: SPDYStream) {
        guard stream.id == input?.id, stream.isWritable else { return }
        waiter.take()?.succeed()
    }

    func sessionEnded(_ session: SPDYSession, _ failure: SPDYError?) {
        isInputGone = true
        waiter.take()?.fail(ChannelError.ioOnClosedChannel)
        self.session = nil
        end(failure.map { ": \($0)" } ?? "")
    }

    private func close(_ stream: SPDYStream) {
        if stream.id == input?.id, !stream.isWritable {
            // The process has closed its input, or is gone.
            waiter.take()?.fail(ChannelError.ioOnClosedChannel)
        }
        guard open.remove(stream.id) != nil, open.isEmpty, status.outcome != nil else { return }
        end("")
    }

    private func end(_ reason: String) {
        inbox.finish(
            status.outcome
                ?? .failure(StreamError("the runtime closed the connection before the command's end" + reason)))
    }
}
