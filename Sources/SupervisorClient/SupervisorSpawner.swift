package import LaunchProtocol
package import Linux
package import Model

/// Brings supervisors into the world, as `Birth` says.
package struct SupervisorSpawner: Sendable {
    private let launcher: SealedLauncher
    private let reactor: Reactor

    package init(launcher: SealedLauncher, reactor: Reactor) {
        self.launcher = launcher
        self.reactor = reactor
    }

    /// Starts a pod's supervisor and returns when it listens on `ctl` in `podDirectory`. The first process is reaped; on any
    /// failure both are dead, and everything in `cgroup` too.
    ///
    /// posix_spawn(3) holds the calling thread until the new program runs, well below a millisecond.
    package func spawn(
        _ pod: PodID, plan: LaunchPlan, podDirectory: borrowing OwnedFD, exitDirectory: borrowing OwnedFD,
        cgroup: borrowing OwnedFD, deadline: Duration = .seconds(30)
    ) async throws(SpawnError) {
        let birth = try start(
            pod, plan: plan, podDirectory: podDirectory, exitDirectory: exitDirectory, cgroup: cgroup)
        let failure: SpawnError
        do throws(SpawnError) {
            try await birth.finish(on: reactor, within: deadline)
            return
        } catch { failure = error }
        // Best effort: the pod's undo kills and removes this cgroup in any case.
        do throws(Errno) { try cgroup.killCgroup() } catch { throw failure }
        throw failure
    }

    /// The part of `spawn` that runs on the calling thread, in its mount namespace.
    package func start(
        _ pod: PodID, plan: LaunchPlan, podDirectory: borrowing OwnedFD, exitDirectory: borrowing OwnedFD,
        cgroup: borrowing OwnedFD
    ) throws(SpawnError) -> SupervisorBirth {
        let bytes: Bytes
        do throws(WireError) { bytes = try PlanCoder.encode(plan) } catch { throw .unsendable(error) }
        do throws(Errno) {
            let sealed = try MemoryFile.sealed(bytes, name: "birth-plan")
            var report = try Pipe(nonBlockingReader: true)
            // The path is opened by the new process, after its descriptors are in place.
            var program = ProgramSpawn(
                Path(Array("/proc/self/fd/\(Birth.launcherDescriptor)".utf8)),
                arguments: [Array("swiftlet-launch".utf8), Array("supervise".utf8), Array(pod.text.utf8)])
            try program.pass(sealed, as: Birth.planDescriptor)
            try program.pass(podDirectory, as: Birth.podDirectoryDescriptor)
            try program.pass(exitDirectory, as: Birth.exitDirectoryDescriptor)
            try program.pass(cgroup, as: Birth.cgroupDescriptor)
            try program.pass(report.writing, as: Birth.reportDescriptor)
            try program.pass(launcher.program, as: Birth.launcherDescriptor)
            let started = try program.start()
            let first = ProcessHandle(Pidfd(try started.pidfd.fd.duplicate()))
            return SupervisorBirth(first, report: report.takeReading())
        } catch { throw .kernel(operation: "start the supervisor", error) }
    }
}

/// A supervisor on its way into the world.
package final class SupervisorBirth: Sendable {
    private let first: ProcessHandle
    private let report: OwnedFD

    fileprivate init(_ first: ProcessHandle, report: consuming OwnedFD) {
        self.first = first
        self.report = report
    }

    /// Waits for the first process, which ends when the supervisor listens, and reaps it.
    package func finish(on reactor: Reactor, within deadline: Duration) async throws(SpawnError) {
        let status: ExitStatus?
        do throws(Errno) {
            status = try await end(on: reactor, within: deadline)
        } catch { throw .kernel(operation: "wait for the supervisor", error) }
        guard let status else { throw .deadlineExceeded }
        if status != .exited(0) { throw failure(status) }
    }

    /// Nil: it had to be killed.
    private func end(on reactor: Reactor, within deadline: Duration) async throws(Errno) -> ExitStatus? {
        let isInTime = try await first.waitForEnd(on: reactor, within: deadline)
        if !isInTime {
            _ = try first.signal(.kill)
            _ = try await first.waitForEnd(on: reactor)
        }
        let status = try first.reap()
        return isInTime ? status ?? .exited(255) : nil
    }

    /// The supervisor's own words, where it left any.
    private func failure(_ status: ExitStatus) -> SpawnError {
        let report: Bytes
        do throws(Errno) { report = try self.report.read(max: WireLimits.datagramBytes) } catch {
            return .ended(status)
        }
        do throws(WireError) { return .birthFailed(try Frame.decodeBirthFailure(report)) } catch {
            return .ended(status)
        }
    }
}

extension OwnedFD {
    /// SIGKILL to everything in this cgroup and below it (cgroup.kill, Linux 5.14).
    package func killCgroup() throws(Errno) {
        let file = try open("cgroup.kill", .writeOnly)
        try file.writeAll([0x31])
    }

    /// Whether a process lives in the cgroup whose cgroup.events this is, or below it. ENODEV: the cgroup was removed.
    package func isPopulatedInCgroupEvents() throws(Errno) -> Bool {
        let text = try read(max: 256, at: 0)
        return !text.split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual("populated 0".utf8) }
    }
}
