import CLICore
import CRIProto
import StreamClient
import SwiftProtobuf

/// Our input, and with a terminal the output too, joined to the container of `run`.
struct RunInput: Sendable {
    let session: Session
    let container: String
    let hasTerminal: Bool

    /// Copies until the container has ended or the connection has; false if it had ended before it could be joined.
    func join() async throws -> Bool {
        let streams = RemoteStreams(stdin: true, stdout: hasTerminal, stderr: false, tty: hasTerminal)
        let operation = "attach to container \"\(shortID(container))\""
        do {
            let url = try await session.runtime.call(
                CRIMethods.attach,
                .with {
                    $0.containerID = container
                    $0.stdin = streams.stdin
                    $0.stdout = streams.stdout
                    $0.tty = streams.tty
                }, within: session.quick, to: operation
            ).url
            var relay = Relay(console: session.console, streams: streams)
            relay.endsBySignals = false
            let end = try await naming(operation) { try await relay.run(url, StreamOptions()) }
            if case .outcome(.failed(let reason)) = end { throw Failure.remote(operation, reason) }
            return true
        } catch let failure as Failure where failure.exitStatus == Failure.failed {
            if try await session.hasEnded(container) { return false }
            // The container goes on, and so does its log.
            bestEffort { try session.console.err("swiftlet: \(printable(failure.message))\n") }
            return true
        }
    }
}
