import LaunchProtocol
package import Model
import OCI
import Planner

/// Where a client joins a container's main process.
package struct AttachPoint: Sendable {
    package var pod: PodID
    package var container: ContainerID
    package var tty: Bool
    /// The process has an input that clients write.
    package var stdin: Bool
    /// That input ends with the one of the first client (CRI ContainerConfig.stdin_once).
    package var stdinOnce: Bool
    /// Waits for the end of the process: its exit code.
    package var end: @Sendable () async throws -> Int32
}

// What the streams are the lifecycle does not know: who asks gives the body that makes them, and gets its result.
extension ContainerController {
    /// Runs a command in the container to its end (CRI ExecSync). `timeout` nil = as long as it takes.
    nonisolated func execSync(_ command: [String], timeout: Duration?) async throws -> ExecOutcome {
        let values = settings.changeable.current
        let limits = ExecLimits(
            timeout: timeout, outputBytesMax: values.execOutputBytesMax, drain: values.execDrain)
        let request = ExecRequest(command: command, streams: .passed(stdin: nil, stdout: 0, stderr: 1))
        return try await exec(request) { [ports] in try await ports.supervisors.execute($0, limits) }
    }

    /// Has `body` start a command in the container. One that is known needs the actor only if it fails: probes must cost little,
    /// and run on the thread that their answers come from, where a plan must not be made.
    nonisolated func exec<Result: Sendable>(
        _ request: ExecRequest, _ body: @Sendable (ExecLaunch) async throws -> Result
    ) async throws -> Result {
        let launch: ExecLaunch
        if let known = execs.launch(of: request) {
            launch = known
        } else {
            launch = try await withTaskExecutorPreference(ports.executor) { try await self.prepareExec(request) }
        }
        do {
            return try await body(launch)
        } catch {
            throw await execFault(error, launch.plan)
        }
    }

    private func prepareExec(_ request: ExecRequest) async throws -> ExecLaunch {
        try requireRunning("exec in")
        let plans = Plans(ports: ports, settings: settings)
        let spec: RuntimeSpec
        if let runningSpec { spec = runningSpec } else { spec = try await plans.spec(record, pod: pod.currentRecord()) }
        runningSpec = spec
        let launch = ExecLaunch(
            pod: podID, container: id, plan: try plans.exec(record, spec: spec, request), cgroup: record.cgroup)
        if case .passed(stdin: nil, _, _) = request.streams, machine.state.isRunning { execs.keep(launch, of: request) }
        return launch
    }

    private func execFault(_ error: any Error, _ plan: LaunchPlan) -> Fault {
        guard case .running = machine.state else {
            return Fault.precondition("exec in \(title): it ended meanwhile")
        }
        return Plans.fault(for: error, plan: plan, operation: "exec in \(title)")
    }

    /// Has `body` join the streams of the main process.
    func attach<Result: Sendable>(_ body: @Sendable (AttachPoint) async throws -> Result) async throws -> Result {
        try requireRunning("attach to")
        let ended = ended
        let config = record.config
        let point = AttachPoint(
            pod: podID, container: id, tty: config.tty, stdin: config.stdin, stdinOnce: config.stdinOnce,
            end: { try await ended.value().code })
        do {
            return try await body(point)
        } catch {
            guard case .running = machine.state else {
                throw Fault.precondition("attach to \(title): it ended meanwhile")
            }
            throw error.fault("attach to \(title)")
        }
    }

    private func requireRunning(_ operation: String) throws {
        guard case .running = machine.state else {
            throw Fault.precondition("\(operation) \(title): it is not running")
        }
    }
}
