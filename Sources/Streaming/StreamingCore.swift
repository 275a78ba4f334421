import NIOCore

/// What the connections of one server share; confined to the server's event loop.
final class StreamingCore {
    let target: any StreamTarget
    let configuration: StreamingConfiguration
    let loop: any EventLoop
    let readiness: Readiness
    let requests: PendingRequests

    private var connections: [ObjectIdentifier: any Channel] = [:]
    /// Those that have not shown a token yet, oldest first.
    private var strangers: [any Channel] = []
    private var taskCount = 0
    private var drained: EventLoopPromise<Void>?

    init(
        _ target: any StreamTarget, _ configuration: StreamingConfiguration, _ requests: PendingRequests,
        _ readiness: Readiness, on loop: any EventLoop
    ) {
        self.target = target
        self.configuration = configuration
        self.requests = requests
        self.readiness = readiness
        self.loop = loop
    }

    /// Starts a call of the target's; the server's stop waits for it.
    @discardableResult
    func run(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        taskCount += 1
        let core = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        return Task {
            await work()
            loop.execute { core.value.taskEnded() }
        }
    }

    private func taskEnded() {
        taskCount -= 1
        completeDrainIfIdle()
    }

    // MARK: Connections

    var connectionCount: Int { connections.count }

    /// False where there are too many, or the server is stopping. Among connections without a token the oldest gives way, so that
    /// nobody on the node can keep clients out by hoarding connections.
    func admit(_ channel: any Channel) -> Bool {
        guard drained == nil, connections.count < configuration.connectionsMax else { return false }
        if strangers.count >= configuration.strangersMax { strangers.removeFirst().close(promise: nil) }
        strangers.append(channel)
        let key = ObjectIdentifier(channel)
        connections[key] = channel
        channel.closeFuture.assumeIsolated().whenComplete { _ in
            self.connections[key] = nil
            self.hasToken(channel)
            self.completeDrainIfIdle()
        }
        return true
    }

    /// The client has shown a token, and may stay.
    func hasToken(_ channel: any Channel) { strangers.removeAll { $0 === channel } }

    // MARK: Shutdown

    /// Completes when all connections and all calls of the target have ended.
    func drain() -> EventLoopFuture<Void> {
        if let drained { return drained.futureResult }
        let promise = loop.makePromise(of: Void.self)
        drained = promise
        completeDrainIfIdle()
        return promise.futureResult
    }

    func closeAll() {
        for channel in connections.values { channel.close(promise: nil) }
    }

    private func completeDrainIfIdle() {
        if connections.isEmpty, taskCount == 0 { drained?.succeed() }
    }
}
