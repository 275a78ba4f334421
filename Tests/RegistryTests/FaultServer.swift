import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// An HTTP server on a loopback port whose every answer a closure decides, faults included; it records what it was
/// asked.
final class FaultServer: Sendable {
    struct Asked: Sendable {
        var method: HTTPMethod
        /// Without the query.
        var path: String
        var query: String
        var headers: HTTPHeaders
        var body: String

        var authorization: String? { headers.first(name: "authorization") }
    }

    struct Reply: Sendable {
        var status: HTTPResponseStatus = .ok
        var headers: HTTPHeaders = [:]
        var body: [UInt8] = []
        /// The length to announce if not the true one; nil for chunked.
        var announced: Announced = .truth
        /// Close the connection, or go silent, after this many bytes of the body.
        var breakAfter: Int?
        var stalls = false

        enum Announced: Sendable { case truth, chunked, bytes(Int) }

        static func status(_ status: HTTPResponseStatus, _ headers: HTTPHeaders = [:]) -> Reply {
            Reply(status: status, headers: headers)
        }
        static func body(_ body: [UInt8], _ headers: HTTPHeaders = [:]) -> Reply { Reply(headers: headers, body: body) }
        static func json(_ text: String) -> Reply {
            Reply(headers: ["content-type": "application/json"], body: Array(text.utf8))
        }
    }

    typealias Script = @Sendable (_ asked: Asked, _ count: Int) -> Reply

    let port: Int
    private let channel: any Channel
    private let asked: Mutex<[Asked]>
    /// Connections that are open now.
    private let open = Mutex<[ObjectIdentifier: any Channel]>([:])

    var authority: String { "127.0.0.1:\(port)" }
    var requests: [Asked] { asked.withLock { $0 } }
    var connections: Int { open.withLock { $0.count } }

    /// `script` sees each request and how many came before it.
    static func start(tls: NIOSSLContext? = nil, _ script: @escaping Script) async throws -> FaultServer {
        let box = Box()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(server: box, script: script))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = FaultServer(channel: channel)
        box.server.withLock { $0 = server }
        return server
    }

    private init(channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
        asked = Mutex([])
    }

    func stop() async throws {
        try await channel.close()
        for channel in open.withLock({ Array($0.values) }) { channel.close(promise: nil) }
    }

    /// Waits until no connection is open; the caller bounds it by the test's own time limit.
    func untilIdle() async throws {
        while connections > 0 { try await Task.sleep(for: .milliseconds(5)) }
    }

    private final class Box: Sendable { let server = Mutex<FaultServer?>(nil) }

    private final class Handler: ChannelInboundHandler, @unchecked Sendable {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let server: Box
        private let script: Script
        private var head: HTTPRequestHead?
        private var body = ""

        init(server: Box, script: @escaping Script) {
            self.server = server
            self.script = script
        }

        func channelActive(context: ChannelHandlerContext) {
            server.server.withLock { $0 }?.open.withLock { $0[ObjectIdentifier(context.channel)] = context.channel }
            context.fireChannelActive()
        }

        func channelInactive(context: ChannelHandlerContext) {
            _ = server.server.withLock { $0 }?.open.withLock {
                $0.removeValue(forKey: ObjectIdentifier(context.channel))
            }
            context.fireChannelInactive()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body(let bytes): body += String(buffer: bytes)
            case .end: answer(context)
            }
        }

        private func answer(_ context: ChannelHandlerContext) {
            guard let head, let server = server.server.withLock({ $0 }) else { return }
            let parts = head.uri.split(separator: "?", maxSplits: 1).map(String.init)
            let request = Asked(
                method: head.method, path: parts[0], query: parts.count > 1 ? parts[1] : "", headers: head.headers,
                body: body)
            body = ""
            let count = server.asked.withLock { asked in
                asked.append(request)
                return asked.count - 1
            }
            let reply = script(request, count)

            var headers = reply.headers
            switch reply.announced {
            case .truth: headers.replaceOrAdd(name: "content-length", value: "\(reply.body.count)")
            case .bytes(let count): headers.replaceOrAdd(name: "content-length", value: "\(count)")
            case .chunked: headers.replaceOrAdd(name: "transfer-encoding", value: "chunked")
            }
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: reply.status, headers: headers))),
                promise: nil)
            let sent = head.method == .HEAD ? [] : Array(reply.body.prefix(reply.breakAfter ?? reply.body.count))
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: sent)))), promise: nil)
            if reply.stalls { return context.flush() }
            if reply.breakAfter != nil {
                context.flush()
                // A reset, not an orderly end.
                _ = context.channel.setOption(.socketOption(.init(rawValue: 13)), value: 1)
                return context.close(promise: nil)
            }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
