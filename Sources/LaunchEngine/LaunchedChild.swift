import LaunchProtocol
import Linux

/// All that a new child needs of its supervisor; it closes everything else before it does anything.
struct ChildInheritance: ~Copyable {
    let plan: OwnedFD
    let report: PacketSocket
    let proc: PrivateProc
    /// Whose namespaces `joinContainer` joins.
    let joinTarget: Pidfd?
    /// Whose PID namespace the program is to be born into.
    let pidTarget: Pidfd?
    /// For a pod's init.
    let launcher: OwnedFD?
    /// What the supervisor's limits are, and so the child's.
    let limits: ResourceLimits
    /// Whether nobody but one container lives in the PID namespace of the program; see `MemorySharing`.
    let isAlone: Bool
    let streams: ChildStreams
}

/// The child's side of a launch: from clone3(2) to execve(2).
enum LaunchedChild {
    static func run(_ inheritance: consuming ChildInheritance) -> Never {
        let plan: LaunchPlan
        do throws(LaunchFailure) {
            plan = try prepared(inheritance)
        } catch {
            ignoringErrors { () throws(Errno) in try inheritance.report.send(ChildReport.failed(error).bytes) }
            CurrentProcess.exit(1)
        }
        runSteps(plan, inheritance)
    }

    private static func prepared(_ inheritance: borrowing ChildInheritance) throws(LaunchFailure) -> LaunchPlan {
        do throws(Errno) { try prepare(inheritance) } catch {
            throw LaunchFailure(errno: error, detail: Path("child").bytes)
        }
        do throws(Errno) {
            let bytes = try MemoryFile.readSealed(inheritance.plan, max: WireLimits.planBytes)
            do throws(WireError) { return try PlanCoder.decode(bytes) } catch { throw .protocolError }
        } catch {
            throw LaunchFailure(errno: error, detail: Path("plan").bytes)
        }
    }

    /// Nothing is inherited by accident (R11): descriptors, streams, signals, mask, session.
    private static func prepare(_ inheritance: borrowing ChildInheritance) throws(Errno) {
        var kept = DescriptorSet()
        kept.insert(inheritance.plan)
        kept.insert(inheritance.report.fd)
        kept.insert(inheritance.proc.fd)
        _ = inheritance.joinTarget.lend { kept.insert($0.fd) }
        _ = inheritance.pidTarget.lend { kept.insert($0.fd) }
        _ = inheritance.launcher.lend { kept.insert($0) }
        _ = inheritance.streams.input.lend { kept.insert($0) }
        _ = inheritance.streams.output.lend { kept.insert($0) }
        _ = inheritance.streams.error.lend { kept.insert($0) }
        try kept.closeAllOthers()

        _ = try inheritance.streams.input.lend { fd throws(Errno) in try fd.becomeStandard(.input) }
        _ = try inheritance.streams.output.lend { fd throws(Errno) in try fd.becomeStandard(.output) }
        _ = try inheritance.streams.error.lend { fd throws(Errno) in try fd.becomeStandard(.error) }

        // The supervisor has all at their defaults since its birth, and some blocked.
        try SignalSet.unblockAll()
        // Modes come out as plans name them; the container's own umask is a step.
        CurrentProcess.setFileModeMask(0)
        try CurrentProcess.startSession()
        _ = try inheritance.pidTarget.lend { target throws(Errno) in try NamespaceFlags.pid.join(target.fd) }
    }

    private static func runSteps(_ plan: LaunchPlan, _ inheritance: consuming ChildInheritance) -> Never {
        var runner = StepRunner(
            proc: inheritance.proc, report: inheritance.report, joinTarget: inheritance.joinTarget,
            launcher: inheritance.launcher, isBornLate: plan.isBornLate, isQuiet: plan.isQuiet,
            mayShareMemory: inheritance.isAlone && plan.isWithoutTracing, limits: inheritance.limits)
        var failure = LaunchFailure(errno: .invalidArgument, detail: Path("no program").bytes)
        do throws(LaunchFailure) { try runner.run(plan.steps) } catch { failure = error }
        // A filter may be in force: write(2) is what every program may do.
        _ = runner.report.lend { report in
            ignoringErrors { () throws(Errno) in try report.fd.write(ChildReport.failed(failure).bytes) }
        }
        CurrentProcess.exit(1)
    }
}
