import CLICore
import CRIProto
import SwiftProtobuf

/// What a command works with: the connections, the output, and how long to wait.
struct Session: Sendable {
    let runtime: CRIConnection
    let images: CRIConnection
    private(set) var console: Console
    /// Whether `create` pulls images without being told.
    let pullsOnCreate: Bool
    /// Whether `run` pulls images without being told.
    let pullsOnRun: Bool
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
        let runtime = try await open(configuration.runtimeEndpoint, configuration.retriesMax, trace)
        do {
            let isOne = configuration.imageEndpoint == configuration.runtimeEndpoint
            let images =
                isOne ? runtime : try await open(configuration.imageEndpoint, configuration.retriesMax, trace)
            let session = Session(
                runtime: runtime, images: images, console: console, pullsOnCreate: configuration.pullsOnCreate,
                pullsOnRun: configuration.pullsOnRun, timeout: configuration.timeout)
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

    /// Connects; tries again as often as the configuration says, with ever longer pauses.
    private static func open(
        _ endpoint: Endpoint, _ retriesMax: Int, _ trace: CRIConnection.Trace?
    ) async throws -> CRIConnection {
        var pause = Duration.milliseconds(100)
        var retry = 0
        while true {
            do {
                return try await CRIConnection.open(endpoint, trace: trace)
            } catch {
                guard retriesMax < 0 || retry < retriesMax else { throw error }
                trace?("connect: \(error)")
            }
            try await Task.sleep(for: pause)
            retry += 1
            pause = min(pause * 2, .seconds(5))
        }
    }

    /// The same session for a command that outlives a restart of the daemon: containers and their logs do too.
    var patient: Session {
        var session = self
        session.patience = .seconds(60)
        return session
    }

    /// The same session with another console.
    func speaking(on console: Console) -> Session {
        var session = self
        session.console = console
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
