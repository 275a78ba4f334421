import AsyncHTTPClient
package import Model
package import NIOCore
import Synchronization

/// The registry client of a daemon: connections that all pulls share. What a pull does is in `RegistrySession`.
package final class RegistryClient: Sendable {
    private let settings: Mutex<RegistryConfiguration>
    private let eventLoops: any EventLoopGroup
    /// One client for each connect timeout in use, since that is a property of a client.
    private let clients = Mutex<[Duration: HTTPClient]>([:])

    private static let clientsMax = 8

    package init(configuration: RegistryConfiguration, eventLoops: any EventLoopGroup) {
        settings = Mutex(configuration)
        self.eventLoops = eventLoops
    }

    /// Connections that nobody closed by `shutdown` are closed behind the owner's back.
    deinit {
        for client in clients.withLock({ Array($0.values) }) { client.shutdown { _ in } }
    }

    /// Changes how pulls that begin from now on behave; one under way keeps what it began with.
    package func configure(_ change: (inout RegistryConfiguration) -> Void) { settings.withLock { change(&$0) } }

    /// Prepares the pull of one image for one caller: reads the hosts' configuration as it is now.
    ///
    /// - Parameter credentials: nil or empty means anonymous.
    package func session(
        for reference: ImageReference, credentials: RegistryCredentials?
    ) throws(RegistryError) -> RegistrySession {
        let configuration = settings.withLock { $0 }
        let hosts = try HostsDirectory(roots: configuration.hostsDirectories).hosts(for: reference.domain)
        var endpoints: [RegistryEndpoint] = []
        for host in hosts {
            let isFor = credentials?.mayBeSent(to: host, domain: reference.domain) ?? false
            let authorizer = Authorizer(
                host: host, repositoryPath: reference.path, credentials: isFor ? credentials : nil)
            let transport = Transport(
                client: client(connectTimeout: host.dialTimeout ?? configuration.connectTimeout), host: host,
                tls: try host.tlsConfiguration(), configuration: configuration)
            endpoints.append(RegistryEndpoint(transport: transport, authorizer: authorizer, reference: reference))
        }
        return RegistrySession(reference: reference, endpoints: endpoints, configuration: configuration)
    }

    /// Closes all connections; pulls that still run fail.
    package func shutdown() async throws {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in all { try await client.shutdown() }
    }

    private func client(connectTimeout: Duration) -> HTTPClient {
        clients.withLock { clients in
            if let client = clients[connectTimeout] ?? (clients.count >= Self.clientsMax ? clients.values.first : nil) {
                return client
            }
            var settings = HTTPClient.Configuration(redirectConfiguration: .disallow, decompression: .disabled)
            settings.timeout.connect = .nanoseconds(connectTimeout.nanoseconds)
            settings.httpVersion = .http1Only
            settings.connectionPool.retryConnectionEstablishment = false
            settings.connectionPool.idleTimeout = .seconds(15)
            let client = HTTPClient(eventLoopGroupProvider: .shared(eventLoops), configuration: settings)
            clients[connectTimeout] = client
            return client
        }
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflows ? Int64.max / 2 : min(product, Int64.max / 2) + attoseconds / 1_000_000_000
    }
}
