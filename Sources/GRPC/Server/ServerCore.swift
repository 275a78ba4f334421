import NIOCore

/// What the connections and calls of one server share; confined to the server's event loop.
final class ServerCore {
    let configuration: GRPCServerConfiguration
    let loop: any EventLoop
    private let methods: [String: GRPCMethod]
    private let services: Set<Substring>

    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    private var bufferedBytes = 0
    private(set) var runningBodies = 0
    private var drained: EventLoopPromise<Void>?

    init(methods: [GRPCMethod], configuration: GRPCServerConfiguration, loop: any EventLoop) {
        self.methods = Dictionary(uniqueKeysWithValues: methods.map { ($0.path, $0) })
        self.services = Set(methods.compactMap { Self.service(of: $0.path) })
        self.configuration = configuration
        self.loop = loop
    }

    // MARK: Methods

    /// The method at a path; the messages are those that other gRPC servers give.
    func method(at path: String) throws(GRPCStatus) -> GRPCMethod {
        if let method = methods[path] { return method }
        guard let service = Self.service(of: path) else {
            throw GRPCStatus(code: .unimplemented, message: "malformed method name \"\(path)\"")
        }
        guard services.contains(service) else {
            throw GRPCStatus(code: .unimplemented, message: "unknown service \"\(service)\"")
        }
        let method = path.dropFirst(service.utf8.count + 2)
        throw GRPCStatus(code: .unimplemented, message: "unknown method \"\(method)\" of service \"\(service)\"")
    }

    private static func service(of path: String) -> Substring? {
        guard path.first == "/", let end = path.dropFirst().firstIndex(of: "/") else { return nil }
        return path[path.index(after: path.startIndex)..<end]
    }

    // MARK: Bounds

    /// Counts bytes that the server is about to hold; false if that would be too many.
    func charge(_ bytes: Int) -> Bool {
        guard bufferedBytes + bytes <= configuration.bufferedBytesMax else { return false }
        bufferedBytes += bytes
        return true
    }

    func release(_ bytes: Int) {
        bufferedBytes -= bytes
    }

    /// Counts a method body that is about to start; false if too many run.
    func beginBody() -> Bool {
        guard runningBodies < configuration.runningBodiesMax else { return false }
        runningBodies += 1
        return true
    }

    func endBody() {
        runningBodies -= 1
        completeDrainIfEmpty()
    }

    // MARK: Connections

    var connectionCount: Int { connections.count }

    /// Admits a connection. At the limit the longest idle one gives way, so that hoarded idle connections lock nobody
    /// out.
    func admit(_ connection: ServerConnection) -> Bool {
        guard drained == nil else { return false }
        if connections.count >= configuration.connectionsMax {
            let idle = connections.values.filter(\.isIdle).min { $0.idleSince < $1.idleSince }
            guard let idle else { return false }
            connections[ObjectIdentifier(idle)] = nil
            idle.evict()
        }
        connections[ObjectIdentifier(connection)] = connection
        return true
    }

    func remove(_ connection: ServerConnection) {
        connections[ObjectIdentifier(connection)] = nil
        completeDrainIfEmpty()
    }

    /// Ends calls whose client has kept them waiting too long.
    func sweep() {
        let limit = NIODeadline.now() - configuration.stallTimeout.timeAmount
        for connection in connections.values { connection.endStalledCalls(before: limit) }
    }

    // MARK: Shutdown

    /// Asks every client to go; the future completes when all calls and connections have ended.
    func drain() -> EventLoopFuture<Void> {
        if let drained { return drained.futureResult }
        let promise = loop.makePromise(of: Void.self)
        drained = promise
        for connection in connections.values { connection.drain() }
        completeDrainIfEmpty()
        return promise.futureResult
    }

    /// Closes what is left after the grace period; which cancels the calls' tasks.
    func closeAll() {
        for connection in connections.values { connection.close() }
    }

    private func completeDrainIfEmpty() {
        if connections.isEmpty, runningBodies == 0 { drained?.succeed() }
    }
}
