import NIOCore
import NIOEmbedded

@testable import SPDY

/// Collects what happens to a session and its streams.
final class Recorder: SPDYSessionDelegate, SPDYStreamDelegate {
    var opened: [SPDYStream] = []
    var accepted: [UInt32] = []
    var received: [UInt32: [UInt8]] = [:]
    var ended: [UInt32] = []
    var resets: [UInt32: SPDYResetStatus] = [:]
    var writable: [UInt32] = []
    var endings = 0
    var failure: SPDYError?

    /// What a server does with a new stream.
    var takes: (SPDYStream) -> Void = { $0.accept() }
    /// Whether bytes count as consumed at once.
    var consumes = true

    func session(_ session: SPDYSession, opened stream: SPDYStream) {
        opened.append(stream)
        stream.delegate = self
        takes(stream)
    }

    func sessionEnded(_ session: SPDYSession, _ failure: SPDYError?) {
        endings += 1
        self.failure = failure
    }

    func streamAccepted(_ stream: SPDYStream) { accepted.append(stream.id) }

    func stream(_ stream: SPDYStream, received bytes: ByteBuffer) {
        received[stream.id, default: []] += bytes.readableBytesView
        if consumes { stream.consumed(bytes.readableBytes) }
    }

    func streamEnded(_ stream: SPDYStream) { ended.append(stream.id) }
    func streamReset(_ stream: SPDYStream, _ status: SPDYResetStatus) { resets[stream.id] = status }
    func streamBecameWritable(_ stream: SPDYStream) { writable.append(stream.id) }
}

/// Stands between a session and its channel: counts reads, and holds writes back while `holds`.
final class Gate: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    var reads = 0
    var holds = false
    private var held: [(NIOAny, EventLoopPromise<Void>?)] = []

    func read(context: ChannelHandlerContext) {
        reads += 1
        context.read()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if holds { held.append((data, promise)) } else { context.write(data, promise: promise) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        for (_, promise) in held { promise?.fail(ChannelError.ioOnClosedChannel) }
    }
}

/// One end of a connection: a session on an embedded channel.
struct End {
    let channel = EmbeddedChannel()
    let recorder = Recorder()
    let gate = Gate()
    let reader: Reader
    let session: SPDYSession

    init(_ role: SPDYSession.Role, limits: SPDYLimits = SPDYLimits()) throws {
        reader = try Reader()
        session = try SPDYSession(role: role, limits: limits, delegate: recorder)
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/none")).wait()
        try channel.pipeline.syncOperations.addHandlers([gate, session])
    }

    /// Everything that was sent since the last call.
    func takeOutput() throws -> ByteBuffer {
        var all = ByteBuffer()
        while let part = try channel.readOutbound(as: ByteBuffer.self) { all.writeImmutableBuffer(part) }
        return all
    }

    func receive(_ bytes: ByteBuffer) throws {
        guard bytes.readableBytes > 0, channel.isActive else { return }
        try channel.writeInbound(bytes)
    }

    /// The frames that were sent since the last call.
    func frames() throws -> [FrameDecoder.Event] { try reader.events(of: [try takeOutput()]) }
}

/// Two ends, and bytes that go between them when told to.
struct Connection {
    let client: End
    let server: End

    init(clientLimits: SPDYLimits = SPDYLimits(), serverLimits: SPDYLimits = SPDYLimits()) throws {
        client = try End(.client, limits: clientLimits)
        server = try End(.server, limits: serverLimits)
    }

    /// Carries bytes until neither side has any.
    func exchange() throws {
        while true {
            let up = try client.takeOutput()
            let down = try server.takeOutput()
            if up.readableBytes == 0, down.readableBytes == 0 { return }
            try server.receive(up)
            try client.receive(down)
        }
    }
}

/// A peer made of frames, for what no session would send.
struct Peer: ~Copyable {
    private var encoder: FrameEncoder

    init() throws { encoder = try FrameEncoder() }

    mutating func bytes(_ frames: ControlFrame...) -> ByteBuffer {
        var all = ByteBuffer()
        for frame in frames {
            if let bytes = encoder.encode(frame, ByteBufferAllocator()) { all.writeImmutableBuffer(bytes) }
        }
        return all
    }

    static func data(_ id: UInt32, _ bytes: [UInt8], isLast: Bool = false) -> ByteBuffer {
        var frame = FrameEncoder.dataHead(id: id, length: bytes.count, isLast: isLast, ByteBufferAllocator())
        frame.writeBytes(bytes)
        return frame
    }
}

/// A decoder that lasts, as that of a peer does.
final class Reader {
    private var decoder: FrameDecoder

    init(limits: SPDYLimits = SPDYLimits()) throws { decoder = try FrameDecoder(limits: limits) }

    /// What bytes mean that arrive in these pieces.
    func events(of pieces: [ByteBuffer]) throws -> [FrameDecoder.Event] {
        var events: [FrameDecoder.Event] = []
        for piece in pieces {
            decoder.append(piece)
            while let event = try decoder.next() { events.append(event) }
        }
        return events
    }
}

/// What a new decoder makes of bytes that arrive in these pieces.
func events(of pieces: [ByteBuffer], limits: SPDYLimits = SPDYLimits()) throws -> [FrameDecoder.Event] {
    try Reader(limits: limits).events(of: pieces)
}
