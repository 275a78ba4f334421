import NIOCore
import NIOHTTP2
import NIOPosix
import Synchronization

/// A gRPC server on a Unix socket: one event loop, one HTTP/2 stream a call.
///
/// One loop on purpose: a second one gained nothing in measurements, and with one everything the calls share needs no
/// lock.
package final class GRPCServer: Sendable {
    /// How often the server looks for calls that wait for their client, as a part of `stallTimeout`.
    private static let sweepsPerStallTimeout = 4

    /// How long method bodies may take to notice their cancellation at the end of a shutdown.
    private static let cancelledBodiesGrace = TimeAmount.seconds(2)

    private let group: MultiThreadedEventLoopGroup
    private let loop: any EventLoop
    private let core: NIOLoopBound<ServerCore>
    private let listener: any Channel
    private let isRunning = Mutex(true)

    /// Starts to listen. Two methods with one path are a programmer's error.
    package static func start(
        _ methods: [GRPCMethod], at address: ListenAddress, configuration: GRPCServerConfiguration = .init()
    ) async throws(ListenError) -> GRPCServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            return try await GRPCServer(methods, at: address, configuration: configuration, group: group)
        } catch {
            await stop(group)
            throw error
        }
    }

    private init(
        _ methods: [GRPCMethod], at address: ListenAddress, configuration: GRPCServerConfiguration,
        group: MultiThreadedEventLoopGroup
    ) async throws(ListenError) {
        self.group = group
        let loop = group.next()
        self.loop = loop
        let name =
            switch address {
            case .unix(let path, _, _, _): path
            case .descriptor(let descriptor): "descriptor \(descriptor)"
            }
        if case .unix(let path, _, _, _) = address { try await SocketFile.clear(path, on: loop) }
        do {
            core = try await loop.submit {
                NIOLoopBound(ServerCore(methods: methods, configuration: configuration, loop: loop), eventLoop: loop)
            }.get()
            let bootstrap = Self.bootstrap(core, on: loop)
            switch address {
            case .unix(let path, _, _, _): listener = try await bootstrap.bind(unixDomainSocketPath: path).get()
            case .descriptor(let descriptor): listener = try await bootstrap.withBoundSocket(descriptor).get()
            }
        } catch {
            throw .failed(operation: "listen on", path: name, reason: "\(error)")
        }
        if case .unix(let path, let mode, let userID, let groupID) = address {
            try SocketFile.publish(path, mode: mode, userID: userID, groupID: groupID)
        }
        let interval = (configuration.stallTimeout / Self.sweepsPerStallTimeout).timeAmount
        let core = core
        loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in core.value.sweep() }
    }

    private static func bootstrap(_ core: NIOLoopBound<ServerCore>, on loop: any EventLoop) -> ServerBootstrap {
        ServerBootstrap(group: loop)
            .serverChannelOption(ChannelOptions.backlog, value: 256)
            .serverChannelInitializer { listener in
                listener.eventLoop.makeCompletedFuture {
                    try Descriptor.closeOnExec(listener)
                    try SocketFile.makePrivate(listener)
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Descriptor.closeOnExec(channel)
                    try configure(channel, core: core.value)
                }
            }
    }

    /// Builds the pipeline of a connection.
    private static func configure(_ channel: any Channel, core: ServerCore) throws {
        let limits = HTTP2Limits.server(core.configuration)
        let connection = ServerConnection(core: core)
        // Without a multiplexer, which would make a channel with a pipeline of its own for every call.
        let http2 = NIOHTTP2Handler(
            mode: .server, frameDelegate: connection, connectionConfiguration: limits.connection,
            streamConfiguration: limits.stream)
        try channel.pipeline.syncOperations.addHandlers([http2, connection])
    }

    /// The connections that are open now; 0 after a shutdown.
    package func connectionCount() async -> Int {
        await withCheckedContinuation { waiter in
            isRunning.withLock { isRunning in
                guard isRunning else { return waiter.resume(returning: 0) }
                loop.execute { [core] in waiter.resume(returning: core.value.connectionCount) }
            }
        }
    }

    /// Stops to listen, removes the socket, lets running calls finish for `grace`, then ends what is left.
    ///
    /// - Returns: the method bodies that still run although their task was cancelled; 0 for a second shutdown.
    @discardableResult
    package func shutdown(grace: Duration) async -> Int {
        guard
            isRunning.withLock({ running in
                defer { running = false }
                return running
            })
        else { return 0 }
        listener.close(promise: nil)
        let unfinished = await drain(grace: grace)
        if unfinished == 0 {
            await Self.stop(group)
        } else {
            // A body that ignores its cancellation still reports to the loop, so the loop must outlive it.
            loop.execute { [core, group] in
                core.value.drain().whenComplete { _ in group.shutdownGracefully { _ in } }
            }
        }
        return unfinished
    }

    private func drain(grace: Duration) async -> Int {
        await withCheckedContinuation { waiter in
            loop.execute { [core, loop] in
                var waiter: CheckedContinuation<Int, Never>? = waiter
                func finish(_ unfinished: Int) {
                    waiter?.resume(returning: unfinished)
                    waiter = nil
                }
                let timer = loop.assumeIsolated().scheduleTask(in: grace.timeAmount) {
                    core.value.closeAll()
                    // Tasks that were cancelled just now usually end at once.
                    loop.assumeIsolated().scheduleTask(in: Self.cancelledBodiesGrace) {
                        finish(core.value.runningBodies)
                    }
                }
                core.value.drain().assumeIsolated().whenComplete { _ in
                    timer.cancel()
                    finish(0)
                }
            }
        }
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
