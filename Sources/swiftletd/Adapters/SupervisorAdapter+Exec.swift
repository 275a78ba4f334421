import LaunchProtocol
import Lifecycle
import Linux
import Model
import Streaming
import SupervisorClient
import Synchronization

extension SupervisorAdapter {
    func execute(_ exec: ExecLaunch, _ limits: ExecLimits) async throws -> ExecOutcome {
        let connection = try connection(to: exec.pod)
        let leaf = try await takeLeaf(exec)
        let process = Self.newProcess()
        let result: ExecResult
        do {
            result = try await withTaskCancellationHandler {
                try await connection.execute(
                    exec.plan, process: process, container: Array(exec.container.text.utf8),
                    cgroup: leaf.descriptors.cgroup, timeout: limits.timeout,
                    outputBytesMax: limits.outputBytesMax, drain: limits.drain)
            } onCancel: {
                // Nobody is left to hear of it.
                leaf.killUntilEnded()
            }
        } catch let error as SupervisorError {
            await giveUp(process, in: leaf, connection, after: error)
            throw Self.failure(error, "exec")
        }
        switch result {
        case .exited(let record, let stdout, let stderr):
            await leaf.end(isSpoiled: record.exitCode == ExecLeaf.killedCode)
            return .exited(code: record.exitCode, stdout: stdout.bytes, stderr: stderr.bytes)
        case .timedOut:
            leaf.kill()
            await leaf.end()
            return .timedOut
        }
    }

    /// Starts an exec whose streams a client will have.
    func start(_ exec: ExecLaunch, _ choice: StreamChoice) async throws -> ExecSession {
        let connection = try connection(to: exec.pod)
        let leaf = try await takeLeaf(exec)
        let process = Self.newProcess()
        do {
            var slots = DescriptorTable()
            var streams =
                choice.tty
                ? ExecStreams()
                : try Adapters.step("make pipes", "exec") { () throws(Errno) in
                    try ExecStreams(choice, &slots)
                }
            let launched = try await connection.launch(
                exec.plan, process: process, container: Array(exec.container.text.utf8),
                cgroup: leaf.descriptors.cgroup,
                slots: slots)
            if choice.tty {
                streams = try Adapters.step("take the terminal of", "exec") { () throws(Errno) in
                    try ExecStreams(choice, terminal: launched.terminal, reactor: reactor)
                }
            }
            return ExecSession(streams, process: process, leaf: leaf, connection: connection)
        } catch let error as SupervisorError {
            await giveUp(process, in: leaf, connection, after: error)
            throw Self.failure(error, "exec")
        } catch {
            await giveUp(process, in: leaf, connection, after: nil)
            throw error
        }
    }

    /// Unlike the names that an earlier daemon gave, too.
    private static func newProcess() -> Bytes {
        Array("exec-\(lastProcess.wrappingAdd(1, ordering: .relaxed).newValue)".utf8)
    }

    private static let lastProcess = Atomic<UInt64>(.random(in: 0...UInt64.max))

    /// A new one is made on a thread that may wait, which the reactor's must not.
    private func takeLeaf(_ exec: ExecLaunch) async throws -> ExecLeaf {
        let directory = cgroupMount + exec.cgroup
        if let kept = leaves.takeKept(in: directory) { return kept }
        return try await pool.run { [leaves] in
            try Adapters.step("make a cgroup for an exec below", exec.cgroup) { () throws(Errno) in
                try leaves.make(for: exec, in: directory)
            }
        }
    }

    /// Leaves nothing of an exec that has not come to run as it should.
    private func giveUp(
        _ process: Bytes, in leaf: ExecLeaf, _ connection: SupervisorConnection, after error: SupervisorError?
    ) async {
        leaf.kill()
        switch error {
        case .stepFailed, .refused, .connectionLost, .notListening: await leaf.end(isSpoiled: true)
        default:
            // It may have come to run unseen, or still do so until the leaf is gone; nobody waits for that. Two tasks, so that the
            // leaf's descriptors are not held for as long as the supervisor may take: there may be too many open already.
            Task { await leaf.end(isSpoiled: true) }
            Task { await ExecRun.forget(process, connection, within: .seconds(60)) }
        }
    }
}
