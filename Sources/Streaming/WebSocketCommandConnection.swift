import NIOCore

/// A remote command over WebSocket: its streams are five channels, which are there from the start.
final class WebSocketCommandConnection {
    private let core: StreamingCore
    private let work: RemoteCommand.Work
    private let version: RemoteCommandVersion
    private var command: RemoteCommand?

    init(_ work: RemoteCommand.Work, _ version: RemoteCommandVersion, _ core: StreamingCore) {
        self.work = work
        self.version = version
        self.core = core
    }

    func makeHandler(isBase64: Bool) -> WebSocketChannels {
        WebSocketChannels(
            count: 5, .init(isBase64: isBase64, hasClose: version.hasChannelClose),
            onStart: { self.start($0) },
            onEnd: {
                self.command?.clientIsGone()
                self.command = nil
            })
    }

    private func start(_ channels: WebSocketChannels) {
        let all = channels.channels
        let streams = CommandStreams(input: all[0], output: all[1], error: all[2], status: all[3], resize: all[4])
            .asked(for: work.streams)
        command = RemoteCommand(
            work, streams, hasJSONStatus: version.hasJSONStatus, connection: channels, core: core)
        // An empty message tells the client that it is connected (cri-streaming, remotecommand/websocket.go). After the command
        // is known: where the client has gone already, the write fails at once, and then the command has to be ended.
        (streams.output ?? streams.error ?? streams.status)?.write(ByteBuffer())
    }
}
