import LaunchProtocol
import Lifecycle
import Linux
import Model
import Streaming
import SupervisorClient
import Synchronization

extension SupervisorAdapter {
    /// What a client may be behind; the supervisor waits for nobody.
    private static let pipeBytes = 1 << 20

    /// Joins a client to a container's streams.
    func join(_ point: AttachPoint, _ choice: StreamChoice) async throws -> AttachSession {
        let connection = try connection(to: point.pod)
        let container = Array(point.container.text.utf8)
        let wantsInput = choice.stdin && point.stdin
        var claim: InputClaim?
        if wantsInput, point.stdinOnce, !point.tty {
            claim = inputClaims.take(point.container)
            // The input is to end with its first client's, and would not while another held it too.
            if claim == nil {
                throw Fault.precondition("attach: the container's input is another client's (stdin_once)")
            }
        }
        let end = SharedOperation<Int32>()
        var streams = ExecStreams()
        var output: OwnedFD?
        var error: OwnedFD?
        if choice.stdout { streams.output = try Self.pipe(&output) }
        // A terminal has one output.
        if choice.stderr, !point.tty { streams.error = try Self.pipe(&error) }
        let attached: Attached
        do throws(SupervisorError) {
            attached = try await connection.attach(
                to: container, input: wantsInput, output: output.take(), error: error.take(),
                onCut: { end.finish(.failure(Self.tooSlow)) })
        } catch {
            throw Self.attachFailure(error)
        }
        streams.input = attached.input
        return AttachSession(streams, point, client: attached.client, connection: connection, claim: claim, end: end)
    }

    /// The reading end of a new pipe that holds much; `writing` gets the other.
    private static func pipe(_ writing: inout OwnedFD?) throws(Fault) -> FDHandover {
        try Adapters.step("make a pipe for", "attach") { () throws(Errno) in
            var pipe = try Pipe(nonBlockingReader: true, nonBlockingWriter: true)
            // Refused only where the node's limit is lower (pipe(7), pipe-max-size); then clients may be behind by less.
            do throws(Errno) { try pipe.writing.setPipeCapacity(pipeBytes) } catch Errno.notPermitted {}
            writing = pipe.takeWriting()
            return FDHandover(pipe.takeReading())
        }
    }

    private static var tooSlow: Fault {
        Fault(.aborted, "attach: the client did not keep up with the container's output, and is cut off")
    }

    private static func attachFailure(_ error: SupervisorError) -> Fault {
        switch error {
        case .refused(_, .tooManyUsers, _):
            Fault(.resourceExhausted, "attach: the container has as many clients as it may")
        case .refused(_, .noProcess, _): .precondition("attach: the container is not running")
        case .refused(_, .noSystemCall, _):
            .unimplemented("attach: the pod was made by an older version, which has none")
        default: Fault(.internal, "attach", cause: "\(error)")
        }
    }
}

/// Which containers' inputs are with a client whose end is theirs too (CRI ContainerConfig.stdin_once).
final class InputClaims: Sendable {
    private let taken = Mutex<Set<ContainerID>>([])

    /// Nil where another client has the input.
    func take(_ container: ContainerID) -> InputClaim? {
        guard taken.withLock({ $0.insert(container).inserted }) else { return nil }
        return InputClaim { self.taken.withLock { _ = $0.remove(container) } }
    }
}

/// One client's hold on a container's input; given back with the last reference.
final class InputClaim: Sendable {
    private let giveBack: @Sendable () -> Void

    init(giveBack: @escaping @Sendable () -> Void) { self.giveBack = giveBack }

    deinit { giveBack() }
}
