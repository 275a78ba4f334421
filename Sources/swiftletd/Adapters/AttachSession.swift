import LaunchProtocol
import Lifecycle
import Linux
import Model
import Streaming
import SupervisorClient
import Synchronization

/// A client of a container's own streams.
final class AttachSession: StreamSession {
    let input: FDHandover?
    let output: FDHandover?
    let error: FDHandover?
    private let point: AttachPoint
    private let client: UInt64
    private let connection: SupervisorConnection
    /// Held where this is the one client whose input the container's ends with.
    private let claim: Mutex<InputClaim?>
    /// The container's exit code, or why the client has lost its place.
    private let end: SharedOperation<Int32>
    private let waiting: Task<Void, Never>

    init(
        _ streams: ExecStreams, _ point: AttachPoint, client: UInt64, connection: SupervisorConnection,
        claim: InputClaim?, end: SharedOperation<Int32>
    ) {
        input = streams.input
        output = streams.output
        error = streams.error
        self.point = point
        self.client = client
        self.connection = connection
        self.claim = Mutex(claim)
        self.end = end
        waiting = Task {
            do { end.finish(.success(try await point.end())) } catch { end.finish(.failure(error)) }
        }
    }

    deinit {
        waiting.cancel()
        connection.leave(client)
    }

    func inputEnded() async {
        guard let claim = claim.withLock({ $0.take() }) else { return }
        // A container that has ended meanwhile has no input any more.
        do throws(SupervisorError) {
            try await connection.closeStdin(of: Array(point.container.text.utf8))
        } catch { return }
        // Until now, so that no other client could get what was about to end.
        withExtendedLifetime(claim) {}
    }

    func resize(rows: UInt16, columns: UInt16) async {
        guard point.tty else { return }
        do throws(SupervisorError) {
            try await connection.resizeTerminal(of: Array(point.container.text.utf8), rows: rows, columns: columns)
        } catch { return }
    }

    func exitCode() async throws(Fault) -> Int32 {
        do { return try await end.value() } catch {
            throw error as? Fault ?? Fault(.internal, "attach", cause: "\(error)")
        }
    }

    func clientIsGone() {}

    /// A client that goes without a word has ended its input too.
    func abandon() async {
        waiting.cancel()
        connection.leave(client)
        await inputEnded()
    }
}
