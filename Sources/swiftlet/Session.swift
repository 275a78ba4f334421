import CLICore
import CRIProto
import SwiftProtobuf

/// What a command works with: the connections, the output, and how long to wait.
struct Session: Sendable {
    let runtime: CRIConnection
    let images: CRIConnection
    let console: Console
    /// What --timeout says.
    private let timeout: Duration?
    /// How long to go on while the runtime is away; zero for commands that are over in a moment.
    private(set) var patience = Duration.zero

    /// Connects, runs `body` and disconnects.
    static func run(
        _ configuration: ClientConfiguration, console: Console, _ body: (Session) async throws -> Void
    ) async throws {
        var trace: CRIConnection.Trace?
        if configuration.traces { trace = { note in bestEffort { try console.err("swiftlet: \(printable(note))\n") } } }
        let runtime = try await CRIConnection.open(configuration.runtimeEndpoint, trace: trace)
        do {
            let isOne = configuration.imageEndpoint == configuration.runtimeEndpoint
            let images = isOne ? runtime : try await CRIConnection.open(configuration.imageEndpoint, trace: trace)
            let session = Session(
                runtime: runtime, images: images, console: console, timeout: configuration.timeout)
            do {
                try await body(session)
            } catch {
                if !isOne { await images.close() }
                throw error
            }
            if !isOne { await images.close() }
        } catch {
            await runtime.close()
            throw error
        }
        await runtime.close()
    }

    /// The same session for a command that outlives a restart of the daemon: containers and their logs do too.
    var patient: Session {
        var session = self
        session.patience = .seconds(60)
        return session
    }

    /// How long to wait for a call that only reads the runtime's memory.
    var quick: Duration { timeout ?? .seconds(10) }

    /// How long to wait for a call that changes something; the kubelet waits as long.
    var slow: Duration { timeout ?? .seconds(120) }

    /// How long to wait for a new pod: plugins set up its network meanwhile.
    var slowest: Duration { timeout ?? .seconds(240) }
}

/// Runs something whose failure changes nothing for the user, such as a note on a closed standard error.
func bestEffort(_ body: () throws -> Void) {
    do { try body() } catch { return }
}
