package import LaunchProtocol
package import Linux
import Synchronization

extension SupervisorConnection {
    /// What the supervisor knows of its processes, with a handle for each that runs.
    package func snapshot(
        within deadline: Duration = requestDeadline
    ) async throws(SupervisorError) -> [SupervisedProcess] {
        let answer = try await ask(.snapshot, deadline: deadline, operation: "list processes")
        guard case .processes(let processes) = answer else { throw .protocolViolation("no snapshot") }
        return processes
    }

    /// Runs a plan and returns when execve(2) has succeeded. After `deadlineExceeded` the process may still come to run:
    /// kill its cgroup.
    ///
    /// - Parameters:
    ///   - process: the container's id, or the exec's own name.
    ///   - container: the exec's container; empty for others.
    ///   - slots: the plan's descriptor slots; they are given away.
    ///   - margin: time beyond the plan's own, at whose end the supervisor kills and answers.
    package func launch(
        _ plan: LaunchPlan, process: Bytes, container: Bytes = [], cgroup: borrowing OwnedFD,
        slots: consuming DescriptorTable = DescriptorTable(), margin: Duration = launchMargin
    ) async throws(SupervisorError) -> LaunchedProcess {
        let waiter = OneShot<Result<Answer, SupervisorError>>()
        try sendLaunch(
            plan, process: process, container: container, cgroup: cgroup, slots: slots, margin: margin, waiter: waiter)
        guard case .launched(let launched) = try await waiter.value().get() else {
            throw .protocolViolation("no answer to a launch")
        }
        return launched
    }

    /// As above, without waiting. Where `waiter` is nil only the exit is wanted, and who waits for that hears of a failure.
    func sendLaunch(
        _ plan: LaunchPlan, process: Bytes, container: Bytes, cgroup: borrowing OwnedFD,
        slots: consuming DescriptorTable, margin: Duration = launchMargin,
        waiter: OneShot<Result<Answer, SupervisorError>>?
    ) throws(SupervisorError) {
        var descriptors = DescriptorTable()
        descriptors.append(try packed(plan))
        do throws(Errno) {
            descriptors.append(try cgroup.duplicate())
            for slot in 0..<UInt16(WireLimits.descriptorsMax) {
                guard let fd = slots.take(slot) else { break }
                descriptors.append(fd)
            }
        } catch { throw .kernel(operation: "pack a launch", error) }
        try send(
            .launch(process: process, container: container, untilExit: waiter == nil), descriptors: descriptors,
            deadline: .milliseconds(Int64(plan.deadlineMilliseconds)) + margin, operation: "launch", waiter: waiter)
    }

    /// A plan as a sealed file; one that comes again is packed once.
    private func packed(_ plan: LaunchPlan) throws(SupervisorError) -> OwnedFD {
        let isKept = packedPlans.withLock { $0.find(plan) }
        if case .packed(let file) = isKept {
            do throws(Errno) { return try file.fd.duplicate() } catch {
                throw .kernel(operation: "duplicate a plan", error)
            }
        }
        let bytes: Bytes
        do throws(WireError) { bytes = try PlanCoder.encode(plan) } catch { throw .unsendable(error) }
        do throws(Errno) {
            let file = try MemoryFile.sealed(bytes, name: "plan")
            guard plan.kind == .exec, bytes.count <= PackedPlans.bytesMax else { return file }
            if case .seen = isKept {
                let kept = SharedDescriptor(try file.duplicate())
                packedPlans.withLock { $0.keep(plan, kept) }
            } else {
                packedPlans.withLock { $0.see(plan) }
            }
            return file
        } catch { throw .kernel(operation: "pack a plan", error) }
    }

    /// Lets a held launch continue, or ends it.
    package func release(_ process: Bytes, go: Bool) async throws(SupervisorError) {
        restartDeadline(of: process)
        try await askForDone(.release(process: process, go: go), "release")
    }

    /// Switches a container's log to a file that is open for appending; from the answer on nothing goes to the old one.
    package func reopenLog(of container: Bytes, to log: borrowing OwnedFD) async throws(SupervisorError) {
        var descriptors = DescriptorTable()
        do throws(Errno) { descriptors.append(try log.duplicate()) } catch {
            throw .kernel(operation: "duplicate a log file", error)
        }
        let answer = try await ask(
            .reopenLog(container: container), descriptors: descriptors, deadline: Self.requestDeadline,
            operation: "reopen the log")
        guard case .done = answer else { throw .protocolViolation("no answer to a log") }
    }

    package func closeStdin(of container: Bytes) async throws(SupervisorError) {
        try await askForDone(.closeStdin(container: container), "close stdin")
    }

    package func resizeTerminal(of process: Bytes, rows: UInt16, columns: UInt16) async throws(SupervisorError) {
        try await askForDone(.resizeTerminal(process: process, rows: rows, columns: columns), "resize a terminal")
    }

    /// Lets the supervisor forget an ended process; an unknown one is forgotten already.
    package func forget(_ process: Bytes) async throws(SupervisorError) {
        try await askForDone(.forget(process: process), "forget")
        forgetExit(of: process)
    }

    /// A TCP socket in the pod's network namespace, non-blocking and not connected.
    package func makeSocket(ipv6: Bool) async throws(SupervisorError) -> SharedDescriptor {
        let answer = try await ask(.makeSocket(ipv6: ipv6), deadline: Self.requestDeadline, operation: "make a socket")
        guard case .socket(let socket) = answer else { throw .protocolViolation("no socket") }
        return socket
    }

    /// Ends the supervisor and waits until its process is gone. Refused while a process of the pod lives.
    package func shutdown() async throws(SupervisorError) {
        do throws(SupervisorError) { try await askForDone(.shutdown, "shut down") } catch
            where error == .connectionLost
        {}
        close()
        let hasEnded: Bool
        do throws(Errno) {
            hasEnded = try await supervisor.waitForEnd(on: reactor, within: Self.requestDeadline)
        } catch { throw .kernel(operation: "wait for the supervisor", error) }
        guard hasEnded else { throw .deadlineExceeded(operation: "shut down") }
    }

    private func askForDone(_ request: Request, _ operation: String) async throws(SupervisorError) {
        let answer = try await ask(request, deadline: Self.requestDeadline, operation: operation)
        guard case .done = answer else { throw .protocolViolation("another answer than \"done\"") }
    }
}
