import NIOCore
import NIOHPACK
import NIOPosix

/// A connection that sends any bytes and reads the frames that come back.
final class RawConnection {
    private let channel: any Channel
    private var frames: AsyncStream<RawFrame>.Iterator
    private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
    private(set) var goAwayCode: UInt32?

    /// - Parameter isReading: false leaves what the server sends in the socket, for ever.
    init(_ path: String, isReading: Bool = true) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: RawFrame.self)
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: isReading)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FrameReader(continuation))
                }
            }
            .connect(unixDomainSocketPath: path).get()
        frames = stream.makeAsyncIterator()
    }

    /// Sends bytes; what a server that has closed does not take is lost.
    func send(_ bytes: [UInt8]) {
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    func send(_ frames: [RawFrame]) {
        send(frames.flatMap(\.bytes))
    }

    /// The next frame; nil when the server has closed the connection.
    func next() async -> RawFrame? {
        guard let frame = await frames.next() else { return nil }
        if frame.kind == RawFrame.Kind.goAway.rawValue { goAwayCode = frame.errorCode }
        return frame
    }

    func waitUntilClosed() async {
        while await next() != nil {}
    }

    /// Reads until a stream ends, and returns its header fields, all blocks together; nil if the connection closed
    /// before.
    func response(of stream: UInt32) async throws -> [String: String]? {
        var headers: [String: String] = [:]
        while let frame = await next() {
            if frame.kind == RawFrame.Kind.headers.rawValue {
                var block = ByteBuffer(bytes: frame.payload)
                let decoded = try decoder.decodeHeaders(from: &block)
                if frame.stream == stream { for (name, value, _) in decoded { headers[name] = value } }
            }
            guard frame.stream == stream else { continue }
            if frame.kind == RawFrame.Kind.reset.rawValue {
                headers["reset"] = frame.errorCode.map { "\($0)" }
                return headers
            }
            let canEnd = frame.kind == RawFrame.Kind.headers.rawValue || frame.kind == RawFrame.Kind.data.rawValue
            if canEnd, frame.flags & RawFrame.endStream != 0 { return headers }
        }
        return nil
    }

    func close() async {
        channel.close(promise: nil)
        await waitUntilClosed()
    }
}

/// Cuts the bytes of a connection into frames.
private final class FrameReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let continuation: AsyncStream<RawFrame>.Continuation
    private var pending = ByteBuffer()

    init(_ continuation: AsyncStream<RawFrame>.Continuation) {
        self.continuation = continuation
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        pending.writeBuffer(&bytes)
        while let head = pending.getBytes(at: pending.readerIndex, length: 9) {
            let length = head[0..<3].reduce(0) { $0 << 8 | Int($1) }
            guard let payload = pending.getBytes(at: pending.readerIndex + 9, length: length) else { return }
            pending.moveReaderIndex(forwardBy: 9 + length)
            let stream = head[5..<9].reduce(0) { $0 << 8 | UInt32($1) }
            continuation.yield(RawFrame(kind: head[3], flags: head[4], stream: stream, payload: payload))
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        continuation.finish()
    }
}
