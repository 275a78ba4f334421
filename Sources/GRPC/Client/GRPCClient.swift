import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
package import SwiftProtobuf
import Synchronization

/// Limits of a client.
package struct GRPCClientConfiguration: Sendable {
    /// Largest request message.
    package var requestBytesMax = 16 << 20

    /// Largest response message.
    package var responseBytesMax = 16 << 20

    /// How long to wait for the server to accept the connection.
    package var connectTimeout = Duration.seconds(10)

    /// Names the program in the server's logs.
    package var userAgent = "swiftlet"

    /// The defaults.
    package init() {}
}

/// A gRPC client: one connection to a Unix socket or over TCP, any number of calls at once. `close` must be called at the end.
///
/// A lost connection is not made anew: calls fail with UNAVAILABLE, and the owner decides whether to make another
/// client.
package final class GRPCClient: Sendable {
    private let configuration: GRPCClientConfiguration
    private let authority: String
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer
    private let connection: NIOLoopBound<ClientConnection>

    /// Calls are handed to the event loop under this lock, so that none can come after the loop has stopped.
    private let isOpen = Mutex(true)

    /// Connects to the server that listens at a path.
    package convenience init(
        unixPath: String, configuration: GRPCClientConfiguration = .init()
    ) async throws(ConnectError) {
        try await self.init(to: .unix(path: unixPath), configuration: configuration)
    }

    /// Connects to a server.
    package init(
        to address: ServerAddress, configuration: GRPCClientConfiguration = .init()
    ) async throws(ConnectError) {
        self.configuration = configuration
        authority = address.authority
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let connected = try await Self.connect(address, configuration, on: group.next())
            channel = connected.channel
            multiplexer = connected.multiplexer
            connection = connected.connection
        } catch {
            await Self.stop(group)
            throw ConnectError(path: "\(address)", error: error)
        }
    }

    private struct Connected: Sendable {
        let channel: any Channel
        let multiplexer: NIOHTTP2Handler.StreamMultiplexer
        let connection: NIOLoopBound<ClientConnection>
    }

    private static func connect(
        _ address: ServerAddress, _ configuration: GRPCClientConfiguration, on loop: any EventLoop
    ) async throws -> Connected {
        let limits = HTTP2Limits.client()
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(configuration.connectTimeout.timeAmount)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Descriptor.closeOnExec(channel)
                    let http2 = NIOHTTP2Handler(
                        mode: .client, eventLoop: channel.eventLoop, connectionConfiguration: limits.connection,
                        streamConfiguration: limits.stream
                    ) { pushed in pushed.close() }
                    try channel.pipeline.syncOperations.addHandlers([http2, ClientConnection()])
                }
            }
        let channel =
            switch address {
            case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
            case .tcp(let host, let port): try await bootstrap.connect(host: host, port: port).get()
            }
        return try await loop.submit {
            let pipeline = channel.pipeline.syncOperations
            return Connected(
                channel: channel, multiplexer: try pipeline.handler(type: NIOHTTP2Handler.self).syncMultiplexer(),
                connection: NIOLoopBound(try pipeline.handler(type: ClientConnection.self), eventLoop: loop))
        }.get()
    }

    // MARK: Calls

    /// Calls a method that answers with one message.
    ///
    /// - Parameters:
    ///   - path: Path of the method, such as "/runtime.v1.RuntimeService/Version".
    ///   - metadata: Further headers; names in lower case.
    ///   - timeout: Sent as `grpc-timeout` and kept here too: DEADLINE_EXCEEDED even if the server hangs.
    package func unary<Request: Message, Response: Message>(
        _ path: String, _ request: Request, as response: Response.Type = Response.self,
        metadata: [(name: String, value: String)] = [], timeout: Duration? = nil
    ) async throws(GRPCStatus) -> Response {
        let request = try clientRequest(path, request, metadata: metadata, timeout: timeout)
        let handle = ClientCallHandle()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { start(request, receiver: .unary($0), handle: handle) }
        } onCancel: {
            handle.cancel()
        }
        return try MessageCoding.decode(try result.get(), as: Response.self)
    }

    /// Calls a method that answers with a stream; an error of the call is thrown by the stream's iterator.
    package func serverStream<Request: Message, Response: Message>(
        _ path: String, _ request: Request, of response: Response.Type = Response.self,
        metadata: [(name: String, value: String)] = [], timeout: Duration? = nil
    ) throws(GRPCStatus) -> ResponseStream<Response> {
        let request = try clientRequest(path, request, metadata: metadata, timeout: timeout)
        let handle = ClientCallHandle()
        let inbox = ResponseInbox(handle: handle)
        start(request, receiver: .stream(ResponseInboxReference(inbox: inbox)), handle: handle)
        return ResponseStream(inbox: inbox)
    }

    /// Ends the connection and every call on it, and stops the client's thread. A second call does nothing.
    package func close() async {
        let wasOpen = isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        guard wasOpen else { return }
        channel.close(promise: nil)
        await Self.stop(group)
    }

    // MARK: Helpers

    private func clientRequest(
        _ path: String, _ message: some Message, metadata: [(name: String, value: String)], timeout: Duration?
    ) throws(GRPCStatus) -> ClientRequest {
        let framed = try MessageCoding.frame(message)
        let bytes = framed.readableBytes - MessageReader.prefixBytes
        guard bytes <= configuration.requestBytesMax else {
            let text = "request of \(bytes) bytes exceeds the limit of \(configuration.requestBytesMax)"
            throw GRPCStatus(code: .resourceExhausted, message: text)
        }
        var headers: HPACKHeaders = [
            ":method": "POST", ":scheme": "http", ":authority": authority, ":path": path, "te": "trailers",
            "content-type": "application/grpc", "user-agent": configuration.userAgent,
        ]
        if let timeout { headers.add(name: "grpc-timeout", value: Timeout.format(timeout), indexing: .nonIndexable) }
        for (name, value) in metadata { headers.add(name: name, value: value) }
        return ClientRequest(
            headers: headers, message: framed, timeout: timeout, responseBytesMax: configuration.responseBytesMax)
    }

    private func start(_ request: ClientRequest, receiver: ClientReceiver, handle: ClientCallHandle) {
        let isStarted = isOpen.withLock { [channel, connection, multiplexer] isOpen in
            guard isOpen else { return false }
            // Fails, without the initializer, on a connection that has closed: then too the call must end.
            let created = channel.eventLoop.makePromise(of: (any Channel).self)
            created.futureResult.whenFailure { error in
                receiver.fail(connection.value.refusal ?? GRPCStatus(thrown: error))
            }
            multiplexer.createStreamChannel(promise: created) { stream in
                stream.eventLoop.makeCompletedFuture {
                    if handle.isCancelled { throw CancellationError() }
                    if let refusal = connection.value.refusal { throw refusal }
                    if case .stream = receiver { try stream.syncOptions?.setOption(.autoRead, value: false) }
                    let call = ClientCall(request, receiver: receiver, handle: handle, connection: connection.value)
                    try stream.pipeline.syncOperations.addHandler(call)
                }
            }
            return true
        }
        if !isStarted { receiver.fail(GRPCStatus(code: .unavailable, message: "the client is closed")) }
    }

    @discardableResult
    private static func stop(_ group: MultiThreadedEventLoopGroup) async -> Bool {
        do {
            try await group.shutdownGracefully()
            return true
        } catch {
            // Only a second shutdown fails, and then there is nothing left to stop.
            return false
        }
    }
}
