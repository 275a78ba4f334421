import Glibc
import Model
import Streaming

extension Daemon {
    /// Starts the server behind the URLs of Exec, Attach and PortForward, as the configuration has it.
    func startStreaming(_ target: StreamAdapter) async throws -> StreamingServer {
        var settings = StreamingConfiguration()
        settings.address = config.streaming.address
        settings.port = config.streaming.port
        if !config.streaming.tlsCert.isEmpty {
            settings.tls = .init(certificateChain: config.streaming.tlsCert, privateKey: config.streaming.tlsKey)
        }
        settings.idleTimeout = .seconds(config.streaming.idleTimeoutSeconds)
        settings.creationTimeout = .seconds(config.streaming.creationTimeoutSeconds)
        // A process that has closed its input must not end the daemon (write(2), SIGPIPE).
        signal(SIGPIPE, SIG_IGN)
        do throws(StreamingError) {
            return try await StreamingServer.start(target, settings)
        } catch {
            throw Fault.precondition("streaming server: \(error)")
        }
    }
}
