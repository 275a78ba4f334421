package import Model
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// The HTTP server behind the URLs of Exec, Attach and PortForward.
package final class StreamingServer: Sendable {
    /// How long calls of the target may go on after everything was closed.
    private static let tasksGrace = Duration.seconds(10)
    /// Small enough that a slow client holds little, large enough that a fast one is never waited for.
    private static let unsentBytes = ChannelOptions.Types.WriteBufferWaterMark(low: 256 << 10, high: 512 << 10)

    private let group: MultiThreadedEventLoopGroup
    private let loop: any EventLoop
    private let listener: any Channel
    private let core: NIOLoopBound<StreamingCore>
    private let readiness: Readiness
    private let requests: PendingRequests
    private let baseURL: String
    private let isRunning = Mutex(true)

    /// Listens, from when it returns to `stop`.
    package static func start(
        _ target: any StreamTarget, _ configuration: StreamingConfiguration = StreamingConfiguration()
    ) async throws(StreamingError) -> StreamingServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            return try await StreamingServer(target, configuration, group)
        } catch {
            await stop(group)
            throw error
        }
    }

    private init(
        _ target: any StreamTarget, _ configuration: StreamingConfiguration, _ group: MultiThreadedEventLoopGroup
    ) async throws(StreamingError) {
        self.group = group
        let loop = group.next()
        self.loop = loop
        let requests = PendingRequests(configuration)
        self.requests = requests
        let place = "\(configuration.address) port \(configuration.port)"
        let tls = try configuration.tls.map { files throws(StreamingError) in try Self.context(files) }
        do {
            readiness = try await loop.submit { try Readiness(loop) }.get()
            let readiness = readiness
            core = try await loop.submit {
                let core = StreamingCore(target, configuration, requests, readiness, on: loop)
                return NIOLoopBound(core, eventLoop: loop)
            }.get()
            let address = try SocketAddress(ipAddress: configuration.address, port: configuration.port)
            listener = try await Self.bootstrap(core, tls, on: loop).bind(to: address).get()
            // Last, for only `stop` ends the thread.
            try await readiness.start()
        } catch {
            throw StreamingError("listen on \(place): \(error)")
        }
        baseURL = Self.baseURL(configuration, port: listener.localAddress?.port ?? configuration.port)
        let life = max(configuration.tokenLife.timeAmount, .milliseconds(1))
        loop.scheduleRepeatedTask(initialDelay: life, delay: life) { _ in requests.sweep() }
    }

    // MARK: URLs

    /// The URL at which a client may execute a command, once.
    package func execURL(_ request: ExecStream) throws(Fault) -> String {
        try baseURL + requests.add(.command(.exec(request)))
    }

    /// The URL at which a client may join a container's streams, once.
    package func attachURL(_ request: AttachStream) throws(Fault) -> String {
        try baseURL + requests.add(.command(.attach(request)))
    }

    /// The URL at which a client may reach ports of a pod; `ports` are those of the old WebSocket protocol, which names none.
    package func portForwardURL(pod: PodID, ports: [UInt16]) throws(Fault) -> String {
        try baseURL + requests.add(.forward(pod, ports: ports))
    }

    /// What is behind: connections and descriptors of processes, for tests and metrics.
    package func usage() async -> (connections: Int, descriptors: Int, unusedURLs: Int) {
        let unused = requests.count
        return await withCheckedContinuation { waiter in
            isRunning.withLock { isRunning in
                guard isRunning else { return waiter.resume(returning: (0, 0, unused)) }
                loop.execute { [core] in
                    waiter.resume(returning: (core.value.connectionCount, core.value.readiness.count, unused))
                }
            }
        }
    }

    // MARK: The end

    /// Stops to listen, leaves streams until `grace` is over, and ends what is left: an exec is killed, as when its client goes.
    package func stop(grace: Duration) async {
        let wasRunning = isRunning.withLock { isRunning in
            defer { isRunning = false }
            return isRunning
        }
        guard wasRunning else { return }
        listener.close(promise: nil)
        await drain(grace)
        // Its only failure is that the thread has ended by itself.
        do { try await readiness.stop() } catch { return await Self.stop(group) }
        await Self.stop(group)
    }

    private func drain(_ grace: Duration) async {
        await withCheckedContinuation { (waiter: CheckedContinuation<Void, Never>) in
            loop.execute { [core, loop] in
                var waiter: CheckedContinuation<Void, Never>? = waiter
                func finish() {
                    waiter?.resume()
                    waiter = nil
                }
                let loop = loop.assumeIsolated()
                let timer = loop.scheduleTask(in: grace.timeAmount) {
                    core.value.closeAll()
                    // A target that does not come back must not keep the daemon from ending.
                    loop.scheduleTask(in: Self.tasksGrace.timeAmount) { finish() }
                }
                core.value.drain().assumeIsolated().whenComplete { _ in
                    timer.cancel()
                    finish()
                }
            }
        }
    }

    private static func stop(_ group: MultiThreadedEventLoopGroup) async {
        await withCheckedContinuation { (waiter: CheckedContinuation<Void, Never>) in
            // Fails only where the group was stopped before.
            group.shutdownGracefully { _ in waiter.resume() }
        }
    }

    // MARK: Set-up

    private static func bootstrap(
        _ core: NIOLoopBound<StreamingCore>, _ tls: NIOSSLContext?, on loop: any EventLoop
    ) -> ServerBootstrap {
        ServerBootstrap(group: loop)
            .serverChannelOption(ChannelOptions.backlog, value: 256)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { listener in
                listener.eventLoop.makeCompletedFuture { try SocketSetup.closeOnExec(listener) }
            }
            .childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(ChannelOptions.writeBufferWaterMark, value: unsentBytes)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try SocketSetup.closeOnExec(channel)
                    try SocketSetup.keepAlive(channel, core.value.configuration.keepAliveTime)
                    guard core.value.admit(channel) else { return channel.close(promise: nil) }
                    let idle = core.value.configuration.idleTimeout.timeAmount
                    var handlers: [any ChannelHandler] = []
                    if let tls { handlers.append(NIOSSLServerHandler(context: tls)) }
                    let held = core.value.configuration.heldReadTime.timeAmount
                    handlers += [
                        IdleStateHandler(allTimeout: idle), IdleEnd(), HeldReads(lookingEvery: held),
                        RequestHandler(core.value),
                    ]
                    try channel.pipeline.syncOperations.addHandlers(handlers)
                }
            }
    }

    private static func context(_ files: StreamingConfiguration.TLSFiles) throws(StreamingError) -> NIOSSLContext {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(files.certificateChain).map {
                NIOSSLCertificateSource.certificate($0)
            }
            let key = try NIOSSLPrivateKey(file: files.privateKey, format: .pem)
            return try NIOSSLContext(
                configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
        } catch {
            throw StreamingError("read \"\(files.certificateChain)\" and \"\(files.privateKey)\": \(error)")
        }
    }

    /// A client on this node cannot connect to the address that means all.
    private static func baseURL(_ configuration: StreamingConfiguration, port: Int) -> String {
        let scheme = configuration.tls == nil ? "http" : "https"
        let host =
            switch configuration.address {
            case "0.0.0.0": "127.0.0.1"
            case "::": "[::1]"
            case let address where address.contains(":"): "[\(address)]"
            case let address: address
            }
        return "\(scheme)://\(host):\(port)"
    }
}
