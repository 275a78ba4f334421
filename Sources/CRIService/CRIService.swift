package import Lifecycle
package import Logging
import Model

/// The CRI's two services on top of `Lifecycle` and ports for images, statistics and streams: translation, validation, and nothing else.
package struct CRIService: Sendable {
    /// What the service tells about the daemon itself.
    package struct Identity: Sendable {
        package var name: String
        /// Semantic version of the daemon.
        package var version: String
        /// The node's own hostname.
        package var nodeHostname: String
        /// For `Status` with `verbose`: the effective configuration as JSON; it has the key "stateDir". Asked each time, as a
        /// part of it can change.
        package var configurationJSON: @Sendable () throws -> String

        package init(
            name: String, version: String, nodeHostname: String,
            configurationJSON: @escaping @Sendable () throws -> String
        ) {
            self.name = name
            self.version = version
            self.nodeHostname = nodeHostname
            self.configurationJSON = configurationJSON
        }
    }

    let runtime: Runtime
    let images: any ImageServicePort
    let statistics: any StatisticsPort
    let streaming: any StreamingPort
    let identity: Identity
    let log: Logger

    package init(
        runtime: Runtime, images: any ImageServicePort, statistics: any StatisticsPort, streaming: any StreamingPort,
        identity: Identity, log: Logger
    ) {
        self.runtime = runtime
        self.images = images
        self.statistics = statistics
        self.streaming = streaming
        self.identity = identity
        self.log = log
    }
}
