package import LaunchProtocol
import Linux

/// How a supervisor comes into the world; `Birth` says what it is given.
///
///     daemon --posix_spawn--> first process --clone3 into its cgroup--> supervisor
///                               | waits                 | session, birth plan, ctl bound and listening
///                               | <------- ready ------ |
///                             exits 0                   | serves, a child of nobody
package enum SupervisorBirth {
    package static func run(podID: Bytes) -> Never {
        var gifts = BirthGifts()
        var ready: Pipe?
        do throws(LaunchFailure) {
            try prepare(podID)
            ready = try fork(into: gifts.cgroup)
            try serve(podID, &gifts, &ready)
        } catch {
            report(error, gifts.report)
        }
        // Not before: its end makes the first process exit, and then the daemon reads what has been reported. A value without
        // copies ends after its last use, which is this one.
        ready = nil
        CurrentProcess.exit(1)
    }

    /// What a supervisor does not hear; its children do.
    ///
    /// Blocked, and not ignored, so that a child hears them all after one system call.
    private static let unheardSignals = SignalSet([
        .hangUp, .interrupt, .quit, .terminate, .pipe, .alarm, .user1, .user2,
    ])

    /// What holds for both processes.
    private static func prepare(_ podID: Bytes) throws(LaunchFailure) {
        guard Wire.isName(podID) else { throw LaunchFailure(errno: .invalidArgument, detail: Path("pod id").bytes) }
        try failing("process") { () throws(Errno) in
            // Containers must not look into the process that makes them (CVE-2016-9962).
            try CurrentProcess.forbidDumping()
            // The gifts came without the flag: that is how they came at all.
            try DescriptorSet.closeAllOnExecute()
            try CurrentProcess.setName("swiftlet-launch")
            try Signal.resetAll()
            // A node that goes down sends SIGTERM to everybody: containers' exits are still to be recorded then.
            try unheardSignals.block()
            CurrentProcess.setFileModeMask(0)
            try WorkingDirectory.change(to: "/")
            try Credentials.clearAmbientCapabilities()
        }
    }

    /// Returns in the child, with the pipe whose writing end tells the first process that all is well.
    ///
    /// Born in its cgroup, and not moved there: a write to cgroup.procs waits for an RCU grace period, about 10 ms.
    private static func fork(into cgroup: borrowing OwnedFD) throws(LaunchFailure) -> Pipe {
        do throws(Errno) {
            var ready = try Pipe()
            guard try ProcessClone.makeUnwatched(into: cgroup) > 0 else { return ready }
            _ = ready.takeWriting()
            // One byte says that it listens; the end of the pipe, that it has reported a failure or was killed.
            let isReady = try !ready.reading.read(max: 1).isEmpty
            CurrentProcess.exit(isReady ? 0 : 1)
        } catch {
            throw LaunchFailure(errno: error, detail: Path("fork").bytes)
        }
    }

    private static func serve(
        _ podID: Bytes, _ gifts: inout BirthGifts, _ ready: inout Pipe?
    ) throws(LaunchFailure) {
        try failing("process") { () throws(Errno) in
            // Until it listens nobody can find it: it must not outlive the process that the daemon waits for.
            try CurrentProcess.setParentDeathSignal(.kill)
            try CurrentProcess.startSession()
        }
        try failing("/dev/null") { () throws(Errno) in try protectStandardStreams() }
        var supervisor = try makeSupervisor(podID, &gifts)
        try failing("ready") { () throws(Errno) in
            try CurrentProcess.setParentDeathSignal(nil)
            _ = try ready.lend { pipe throws(Errno) in try pipe.writing.writeAll([1]) }
        }
        ready = nil
        gifts.release()
        supervisor.run()
        CurrentProcess.exit(0)
    }

    private static func makeSupervisor(_ podID: Bytes, _ gifts: inout BirthGifts) throws(LaunchFailure) -> Supervisor {
        let proc: PrivateProc
        do throws(Errno) { proc = try PrivateProc() } catch {
            throw LaunchFailure(errno: error, detail: Path("proc").bytes)
        }
        try runPlan(gifts.plan, proc)
        do throws(Errno) {
            let listener = try PacketListener(name: Path(Birth.socketName), in: gifts.podDirectory, mode: 0o600)
            return try Supervisor(
                podID: podID, listener: listener, podDirectory: gifts.takePodDirectory(),
                exitDirectory: gifts.takeExitDirectory(), launcher: gifts.takeLauncher(), proc: proc)
        } catch {
            throw LaunchFailure(stepIndex: BirthFailure.afterSteps, errno: error, detail: Path(Birth.socketName).bytes)
        }
    }

    private static func runPlan(_ file: borrowing OwnedFD, _ proc: borrowing PrivateProc) throws(LaunchFailure) {
        let plan: LaunchPlan
        var runner: StepRunner
        do throws(Errno) {
            let bytes = try MemoryFile.readSealed(file, max: WireLimits.planBytes)
            do throws(WireError) { plan = try PlanCoder.decode(bytes) } catch { throw .protocolError }
            guard plan.kind == .birth else { throw .invalidArgument }
            runner = StepRunner(proc: try proc.duplicate())
        } catch {
            throw LaunchFailure(errno: error, detail: Path("plan").bytes)
        }
        try runner.run(plan.steps)
    }

    /// Containers get these for streams that nobody reads. By way of a read-only clone of the node's device, root in a
    /// container can read and write it, but not change its owner or mode.
    private static func protectStandardStreams() throws(Errno) {
        let node = try OwnedFD.open("/dev/null", [.path, .noFollow])
        let status = try node.status()
        guard status.kind == .characterDevice, status.major == 1, status.minor == 3 else { throw .noDevice }
        let clone = try MountHandle.clone(of: node, recursive: false)
        try clone.set([.readOnly, .noSetuid, .noExecute], propagation: .private, recursive: false)
        let null = try clone.fd.reopen(.readWrite)
        for stream: StandardStream in [.input, .output, .error] { try null.becomeStandard(stream) }
    }

    private static func report(_ failure: LaunchFailure, _ pipe: borrowing OwnedFD) {
        let frame = BirthFailure(
            stepIndex: failure.stepIndex, errno: failure.errno.number, detail: failure.detail)
        do throws(WireError) {
            let bytes = try Frame.encode(frame)
            ignoringErrors { () throws(Errno) in try pipe.writeAll(bytes) }
        } catch {
            return
        }
    }

    private static func failing(_ detail: Path, _ body: () throws(Errno) -> Void) throws(LaunchFailure) {
        do throws(Errno) { try body() } catch { throw LaunchFailure(errno: error, detail: detail.bytes) }
    }
}

/// The descriptors that the daemon gives at birth, by the numbers of `Birth`.
private struct BirthGifts: ~Copyable {
    var plan = OwnedFD(taking: Birth.planDescriptor)
    var podDirectory = OwnedFD(taking: Birth.podDirectoryDescriptor)
    var exitDirectory = OwnedFD(taking: Birth.exitDirectoryDescriptor)
    var cgroup = OwnedFD(taking: Birth.cgroupDescriptor)
    var report = OwnedFD(taking: Birth.reportDescriptor)
    var launcher = OwnedFD(taking: Birth.launcherDescriptor)

    mutating func takePodDirectory() -> OwnedFD { BirthGifts.take(&podDirectory) }
    mutating func takeExitDirectory() -> OwnedFD { BirthGifts.take(&exitDirectory) }
    mutating func takeLauncher() -> OwnedFD { BirthGifts.take(&launcher) }

    /// Closes what only the birth needs.
    mutating func release() {
        _ = BirthGifts.take(&plan)
        _ = BirthGifts.take(&cgroup)
        _ = BirthGifts.take(&report)
    }

    private static func take(_ gift: inout OwnedFD) -> OwnedFD {
        let given = gift
        gift = OwnedFD(taking: -1)
        return given
    }
}
