package import LaunchProtocol
package import Linux
import Synchronization

/// How an exec that ran to its end came out.
package enum ExecResult: Sendable, Equatable {
    case exited(ExitRecord, stdout: CollectedOutput, stderr: CollectedOutput)
    /// Killed with all of its descendants, after `timeout`.
    case timedOut(stdout: CollectedOutput, stderr: CollectedOutput)
}

extension SupervisorConnection {
    /// Most probes are over by then, and what they wrote is in the pipes: to watch those would wake the reactor once more.
    private static let briefness = Duration.milliseconds(5)

    /// Runs an exec to its end and collects its output.
    ///
    /// The plan's streams are `passed(stdin: nil, stdout: 0, stderr: 1)`, and `cgroup` is a leaf of the exec's own: all in it
    /// is killed where the time runs out. Pipes that a descendant keeps open after the process has ended are given up after
    /// `drain`.
    package func execute(
        _ plan: LaunchPlan, process: Bytes, container: Bytes, cgroup: borrowing OwnedFD, timeout: Duration?,
        outputBytesMax: Int, drain: Duration
    ) async throws(SupervisorError) -> ExecResult {
        var slots = DescriptorTable()
        let stdout: PipeCollector
        let stderr: PipeCollector
        do throws(Errno) {
            stdout = try collector(&slots, bytesMax: outputBytesMax)
            stderr = try collector(&slots, bytesMax: outputBytesMax)
        } catch { throw .kernel(operation: "make pipes for an exec", error) }
        // One wait for launch and exit, since each costs a turn of the reactor.
        let expected = expectExit(of: process)
        do throws(SupervisorError) {
            try sendLaunch(plan, process: process, container: container, cgroup: cgroup, slots: slots, waiter: nil)
        } catch { expected.waiter.resolve(.failure(error)) }
        let watching = reactor.schedule(after: Self.briefness) {
            stdout.startWatching()
            stderr.startWatching()
        }
        let record: ExitRecord?
        do throws(SupervisorError) {
            record = try await exit(expected, within: timeout)
            reactor.cancel(watching)
            if record == nil { try await end(process, in: cgroup) }
        } catch {
            reactor.cancel(watching)
            stdout.stop()
            stderr.stop()
            throw error
        }
        let drained = ContinuousClock.now + drain
        // What a descendant writes to one may have to be read before the other ends.
        let areOver = (stdout.catchUp(), stderr.catchUp())
        if areOver != (true, true) {
            stdout.watchRest()
            stderr.watchRest()
        }
        let first = await stdout.output(within: drain)
        let second = await stderr.output(within: drained - .now)
        guard let record else { return .timedOut(stdout: first, stderr: second) }
        return .exited(record, stdout: first, stderr: second)
    }

    /// Kills what has run out of time, and waits for its end.
    private func end(_ process: Bytes, in cgroup: borrowing OwnedFD) async throws(SupervisorError) {
        do throws(Errno) { try cgroup.killCgroup() } catch { throw .kernel(operation: "kill an exec", error) }
        let waiter = ConnectionState.ExitWaiter()
        guard let key = state.withLock({ $0.awaitExitOn(of: process, waiter) }) else { return }
        do throws(SupervisorError) {
            _ = try await exit(ExpectedExit(waiter: waiter, key: key), within: Self.requestDeadline)
        } catch {
            switch error {
            // One that was not launched yet is not launched any more.
            case .stepFailed, .refused: return
            default: throw error
            }
        }
    }

    /// A collector whose pipe's other end takes the next slot.
    private func collector(_ slots: inout DescriptorTable, bytesMax: Int) throws(Errno) -> PipeCollector {
        var pipe = try Pipe(nonBlockingReader: true)
        slots.append(pipe.takeWriting())
        return PipeCollector(pipe.takeReading(), bytesMax: bytesMax, reactor: reactor, watching: false)
    }
}
