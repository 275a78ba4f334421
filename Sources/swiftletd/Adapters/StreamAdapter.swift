import Lifecycle
import Linux
import Model
import Planner
import Streaming
import SupervisorClient

/// What streaming requests lead to: the runtime says whether they may, the supervisors carry them out.
struct StreamAdapter: StreamTarget {
    let runtime: Runtime
    let supervisors: SupervisorAdapter

    /// For each of a pod's two loopback addresses.
    private static let connectDeadline = Duration.seconds(10)

    func exec(_ request: ExecStream) async throws(Fault) -> any StreamSession {
        let choice = request.streams
        let process = ExecRequest(command: request.command, streams: Self.streams(choice))
        return try await faults("exec") {
            try await runtime.exec(in: request.container, process) { try await supervisors.start($0, choice) }
        }
    }

    func attach(_ request: AttachStream) async throws(Fault) -> any StreamSession {
        try await faults("attach") {
            try await runtime.attach(to: request.container) { try await supervisors.join($0, request.streams) }
        }
    }

    func connect(to pod: PodID, port: UInt16) async throws(Fault) -> FDHandover {
        let operation = "connect to port \(port) in pod \"\(pod.short)\""
        _ = try runtime.readyPod(pod.text, operation: operation)
        let connection = try supervisors.connection(to: pod)
        do throws(ConnectError) {
            return FDHandover(try await connection.connect(to: port, within: Self.connectDeadline))
        } catch {
            switch error {
            case .failed(let errno): throw Fault(.unavailable, operation, cause: "\(errno)")
            case .supervisor(let error): throw Fault(.internal, operation, cause: "\(error)")
            }
        }
    }

    /// Slots in the order in which `ExecStreams` fills them.
    private static func streams(_ choice: StreamChoice) -> ExecRequest.Streams {
        // The client sends the size when it has the streams.
        if choice.tty { return .terminal(rows: 0, columns: 0) }
        let output: UInt8 = choice.stdin ? 1 : 0
        return .passed(
            stdin: choice.stdin ? 0 : nil, stdout: choice.stdout ? output : nil,
            stderr: choice.stderr ? (choice.stdout ? output + 1 : output) : nil)
    }

    private func faults<Value>(_ operation: String, _ body: () async throws -> Value) async throws(Fault) -> Value {
        do {
            return try await body()
        } catch {
            throw error as? Fault ?? Fault(.internal, operation, cause: "\(error)")
        }
    }
}
