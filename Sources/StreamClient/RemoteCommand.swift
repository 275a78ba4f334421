import NIOCore
import NIOPosix

/// Which streams of a remote process are wanted.
package struct RemoteStreams: Equatable, Sendable {
    package var stdin: Bool
    package var stdout: Bool
    package var stderr: Bool
    package var tty: Bool

    package init(stdin: Bool, stdout: Bool, stderr: Bool, tty: Bool) {
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.tty = tty
    }
}

/// What a remote process wrote.
package enum RemoteOutput: Equatable, Sendable {
    case stdout([UInt8])
    case stderr([UInt8])
}

/// The streams of a process that a CRI runtime has made (Exec), or has had (Attach).
///
/// One task takes the output until `next` is nil and then asks for the `outcome`; another may send input meanwhile.
package final class RemoteCommand: Sendable {
    private let loop: any EventLoop
    private let inbox: Inbox
    private let channel: any Channel
    private let wire: NIOLoopBound<any RemoteWire>

    private init(loop: any EventLoop, inbox: Inbox, channel: any Channel, wire: NIOLoopBound<any RemoteWire>) {
        self.loop = loop
        self.inbox = inbox
        self.channel = channel
        self.wire = wire
    }

    /// Connects to what the URL of an ExecResponse or AttachResponse names.
    package static func open(
        _ url: StreamURL, _ streams: RemoteStreams, _ options: StreamOptions
    ) async throws(StreamError) -> RemoteCommand {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let inbox = Inbox()
        let wire: NIOLoopBound<any RemoteWire>
        do {
            wire = try await loop.submit {
                switch options.transport {
                case .spdy: NIOLoopBound(SPDYWire(inbox: inbox, streams: streams), eventLoop: loop)
                case .websocket: NIOLoopBound(WebSocketWire(inbox: inbox), eventLoop: loop)
                }
            }.get()
        } catch {
            throw StreamError("open the stream", error)
        }
        let connection = try await StreamConnection.open(url, options.tls, on: loop) { upgraded in
            try wire.value.handlers(url, upgraded: upgraded)
        }
        return RemoteCommand(loop: loop, inbox: inbox, channel: connection.channel, wire: wire)
    }

    /// The next bytes of the process; nil when no more come, and in a cancelled task.
    package func next() async -> RemoteOutput? {
        guard let item = await inbox.next() else { return nil }
        loop.execute { [wire] in wire.value.consumed(item) }
        let bytes = [UInt8](buffer: item.bytes)
        return item.isError ? .stderr(bytes) : .stdout(bytes)
    }

    /// How the process ended, once `next` was nil.
    package func outcome() throws(StreamError) -> RemoteOutcome {
        guard let end = inbox.end else { throw StreamError("the command goes on") }
        return try end.get()
    }

    /// Sends input and waits until more may come.
    package func send(_ bytes: [UInt8]) async throws(StreamError) {
        let promise = loop.makePromise(of: Void.self)
        loop.execute { [wire] in wire.value.send(ByteBuffer(bytes: bytes), promise: promise) }
        do {
            try await promise.futureResult.get()
        } catch {
            throw StreamError("send input", error)
        }
    }

    /// Says that the input has ended; false where the server's protocol cannot be told.
    package func endInput() async -> Bool {
        do { return try await loop.submit { [wire] in wire.value.endInput() }.get() } catch { return false }
    }

    /// Sets the size of the process's terminal.
    package func resize(rows: UInt16, columns: UInt16) {
        let json = ByteBuffer(string: #"{"Width":\#(columns),"Height":\#(rows)}"# + "\n")
        loop.execute { [wire] in wire.value.resize(json) }
    }

    /// Ends the connection; a process of Exec that still runs is killed by its runtime.
    package func close() {
        loop.execute { [wire, channel] in
            wire.value.sayGoodbye()
            channel.close(promise: nil)
        }
    }
}
