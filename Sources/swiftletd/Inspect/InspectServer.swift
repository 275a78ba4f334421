import GRPC
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// What a path of a small HTTP server answers.
struct HTTPAnswer: Sendable {
    var status = HTTPResponseStatus.ok
    var type: String
    var body: [UInt8]
}

/// A small HTTP server, read-only: on a Unix socket for the statistics collector inside of a kubelet (cAdvisor), and on an
/// address for monitoring.
///
/// The collector knows a container by asking the runtime for it, and of the runtimes that it knows how to ask, CRI-O has the
/// simplest interface: two GET requests. Both are off unless the configuration names a place.
final class InspectServer: Sendable {
    /// A kubelet has one connection, a person who looks another one; a monitoring system has two.
    private static let connectionsMax = 16
    private static let idleMax = TimeAmount.seconds(120)

    /// Answers a path, or nil where nothing is there.
    typealias Answer = @Sendable (_ path: String) -> HTTPAnswer?

    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel

    /// Listens with mode 0660 for root and a group.
    static func start(at path: String, groupID: UInt32, answer: @escaping Answer) async throws(ListenError)
        -> InspectServer
    {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            try await SocketFile.clear(path, on: group.next())
            let listener: any Channel
            do {
                listener = try await bootstrap(group, answer).bind(unixDomainSocketPath: path).get()
            } catch {
                throw ListenError.failed(operation: "listen on", path: path, reason: "\(error)")
            }
            try SocketFile.publish(path, mode: 0o660, userID: 0, groupID: groupID)
            return InspectServer(group: group, listener: listener)
        } catch {
            group.shutdownGracefully { _ in }
            throw error as? ListenError ?? .failed(operation: "listen on", path: path, reason: "\(error)")
        }
    }

    /// Listens on an address of this node.
    static func start(on address: SocketAddress, answer: @escaping Answer) async throws(ListenError) -> InspectServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let listener = try await bootstrap(group, answer)
                .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1).bind(to: address).get()
            return InspectServer(group: group, listener: listener)
        } catch {
            group.shutdownGracefully { _ in }
            throw ListenError.failed(operation: "listen on", path: "\(address)", reason: "\(error)")
        }
    }

    private init(group: MultiThreadedEventLoopGroup, listener: any Channel) {
        self.group = group
        self.listener = listener
    }

    /// Closes the socket, which removes its file, and all connections.
    func stop() async {
        listener.close(promise: nil)
        await withCheckedContinuation { waiter in group.shutdownGracefully { _ in waiter.resume() } }
    }

    private static func bootstrap(_ group: MultiThreadedEventLoopGroup, _ answer: @escaping Answer) -> ServerBootstrap {
        let connections = Connections()
        return ServerBootstrap(group: group)
            .serverChannelOption(ChannelOptions.backlog, value: 16)
            .serverChannelInitializer { listener in
                listener.eventLoop.makeCompletedFuture {
                    try Descriptor.closeOnExec(listener)
                    if listener.localAddress?.pathname != nil { try SocketFile.makePrivate(listener) }
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try Descriptor.closeOnExec(channel)
                    guard connections.add() else { throw ChannelError.operationUnsupported }
                    channel.closeFuture.whenComplete { _ in connections.remove() }
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(allTimeout: idleMax))
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    try pipeline.addHandler(InspectHandler(answer: answer))
                }
            }
    }

    private final class Connections: Sendable {
        private let count = Mutex(0)

        /// False where there are enough.
        func add() -> Bool {
            count.withLock { count in
                guard count < connectionsMax else { return false }
                count += 1
                return true
            }
        }

        func remove() { count.withLock { $0 -= 1 } }
    }
}
