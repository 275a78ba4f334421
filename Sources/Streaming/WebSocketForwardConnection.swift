import Model
import NIOCore

/// The old port-forward over WebSocket: two channels a port, data and error, whose first message is the port's number.
final class WebSocketForwardConnection {
    /// Channels are numbered with one byte.
    static let portsMax = 127

    private let core: StreamingCore
    private let pod: PodID
    private let ports: [UInt16]
    private var forwards: [ForwardedPort] = []
    private var openCount = 0

    init(_ pod: PodID, _ ports: [UInt16], _ core: StreamingCore) {
        self.pod = pod
        self.ports = ports
        self.core = core
    }

    func makeHandler(_ coding: WebSocketChannels.Coding) -> WebSocketChannels {
        WebSocketChannels(
            count: 2 * ports.count, coding, onStart: { self.start($0) },
            onEnd: {
                for forward in self.forwards { forward.end() }
                self.forwards = []
            })
    }

    private func start(_ channels: WebSocketChannels) {
        openCount = ports.count
        for (index, port) in ports.enumerated() {
            let (data, error) = (channels.channels[2 * index], channels.channels[2 * index + 1])
            forwards.append(
                ForwardedPort(pod, port, data: data, error: error, core) { [weak channels] _ in
                    self.openCount -= 1
                    if self.openCount == 0 { channels?.close() }
                })
        }
        // First on each channel. Where the client has gone already the first write fails at once, and then there is nothing to start.
        for (index, channel) in channels.channels.enumerated() {
            channel.write(ByteBuffer(integer: ports[index / 2], endianness: .little))
        }
        for forward in forwards { forward.start() }
    }
}
