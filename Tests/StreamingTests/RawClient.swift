import NIOCore
import NIOPosix
import NIOSSL
import Streaming

/// A connection that sends any bytes and keeps what comes back.
final class RawClient: Sendable {
    let log = StreamLog()
    let channel: any Channel

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let log: StreamLog
        init(_ log: StreamLog) { self.log = log }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            log.add(unwrapInboundIn(data))
        }
        func channelInactive(context: ChannelHandlerContext) { log.update { $0.hasEnded = true } }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    init(_ url: String, tls: NIOSSLContext? = nil) async throws {
        let target = try Target(url)
        let log = log
        channel = try await ClientBootstrap(group: clientGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil)) }
                    try pipeline.addHandler(Reader(log))
                }
            }
            .connect(host: target.host, port: target.port).get()
    }

    /// What a server that has closed does not take is lost.
    func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    /// Sends, and waits until the system has taken it.
    func sendAndWait(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get() }

    func close() async {
        channel.close(promise: nil)
        await becomesClosed(channel)
    }
}

extension Fixture {
    /// Asks until it is so; the server has no event for it.
    func waitForConnections(_ isEnough: (Int) -> Bool) async {
        while !isEnough(await server.usage().connections) { await Task.yield() }
    }

    func waitForDescriptors(_ isEnough: (Int) -> Bool) async {
        while !isEnough(await server.usage().descriptors) { await Task.yield() }
    }
}
