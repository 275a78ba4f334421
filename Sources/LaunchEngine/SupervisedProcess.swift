import LaunchProtocol
import Linux

/// One process that a supervisor has made, from its launch until the daemon says to forget it, or until its exit is told where
/// only that was asked for.
///
///     launching <-> held
///         |  \
///         |   `--> abandoned (failed or too late: answered, waits to be reaped) --> gone
///         v                                                                 ^
///      running --> draining (main process dead, streams open) --> exited --' (forget)
final class SupervisedProcess {
    enum Phase { case launching, held, abandoned, running, draining, exited }

    let serial: UInt64
    let name: Bytes
    let kind: LaunchPlan.Kind
    let streams: LaunchPlan.Streams
    /// Set where the program is born into a PID namespace by a sibling of the first child.
    let isBornLate: Bool
    /// Set where only the end of its reports is waited for; see `LaunchPlan.isQuiet`.
    let isQuiet: Bool
    let pidNamespace: LaunchPlan.PIDNamespace
    /// Whether it is a container in another's PID namespace.
    let isGuest: Bool
    /// See `Supervisor.isAlone`.
    let isAlone: Bool
    var phase = Phase.launching

    /// The process that will be, or is, the program.
    var pid: Int32
    var pidfd: Pidfd?
    /// Ended, but not to be reaped before its launch is decided: the kernel's record of it is needed for that.
    var hasEnded = false
    /// The first child of a late birth, from the moment its sibling is known until it is reaped.
    var outside: Pidfd?
    /// Whether the end of the first child is an event: for a quiet launch only where something is still to come of it.
    var isFirstWatched = false
    /// Whether `pid` is the process that is to execute the program: for a late birth, once the sibling is known.
    var isBorn: Bool
    /// Of a member that has shared memory: who made it has said its number too, which it can only when the member has executed a
    /// program or ended (vfork(2)).
    var isSaidTwice = false
    var report: PacketSocket?
    var failure: LaunchFailure?
    /// Monotonic; nil while held, and from the launch on.
    var deadline: Int64?
    /// What is left of the time to launch, while held.
    var remaining: Int64 = 0

    /// The connection and the request that asked for the launch.
    let connection: UInt64
    let request: UInt32
    /// Whether that asked for no more than the exit.
    let isUntilExit: Bool

    var cgroup: OwnedFD?

    /// The serving end of a terminal that is the daemon's: only until it is sent.
    var passedTerminal: OwnedFD?
    var hasLoggedTerminal = false
    /// Write end of the standard input.
    var input: OwnedFD?
    var output: LogSource?
    var error: LogSource?
    var log: LogFile

    var startedAt: Int64 = 0
    var exit: ExitRecord?

    init(
        serial: UInt64, name: Bytes, header: LaunchPlan, isAlone: Bool, pid: Int32, pidfd: consuming Pidfd,
        report: consuming PacketSocket, connection: UInt64, request: UInt32, isUntilExit: Bool,
        cgroup: consuming OwnedFD, streams: consuming ParentStreams
    ) {
        self.serial = serial
        self.name = name
        kind = header.kind
        self.streams = header.streams
        isBornLate = header.isBornLate
        isQuiet = header.isQuiet
        pidNamespace = header.pidNamespace
        isGuest = header.isGuest
        self.isAlone = isAlone
        isBorn = !header.isBornLate
        self.pid = pid
        self.pidfd = consume pidfd
        self.report = consume report
        self.connection = connection
        self.request = request
        self.isUntilExit = isUntilExit
        self.cgroup = consume cgroup
        log = LogFile(streams.log.take(), limits: streams.limits)
        input = streams.input.take()
        if let pipe = streams.output.take() { output = LogSource(pipe, .output) }
        if let pipe = streams.error.take() { error = LogSource(pipe, .error) }
    }

    /// Whether clients may join its streams: those of a main process, until the last of its output is carried.
    var isAttachable: Bool { kind == .container && (phase == .running || phase == .draining) }

    /// Clients of the stream that has most.
    var clientCount: Int {
        max(output.lend { $0.clients.count } ?? 0, error.lend { $0.clients.count } ?? 0)
    }

    var isAlive: Bool { phase != .exited }

    var wirePhase: ProcessState.Phase? {
        switch phase {
        case .launching: .launching
        case .held: .held
        case .running, .draining: .running
        case .exited: .exited
        case .abandoned: nil
        }
    }

    var state: ProcessState? {
        guard let phase = wirePhase else { return nil }
        return ProcessState(
            process: name, kind: kind, phase: phase, pid: pid, startedAtNanoseconds: startedAt,
            exit: phase == .exited ? exit : nil, logLinesDropped: log.dropped)
    }

    /// Kills what a launch has made so far.
    func killLaunch() {
        // A sibling may have been born without a word: only its cgroup knows it. Never without need: from Linux 6.14 on,
        // clone3(2) into a cgroup that was once killed gives a dead child, so that no launch could be tried again there.
        if !isBorn && failure == nil { killCgroup() }
        _ = pidfd.lend { pidfd in ignoringErrors { () throws(Errno) in try pidfd.send(.kill) } }
        _ = outside.lend { pidfd in ignoringErrors { () throws(Errno) in try pidfd.send(.kill) } }
    }

    /// Kills everything in the cgroup and below. There is a descriptor for it: one of the process's has been closed before.
    func killCgroup() {
        _ = cgroup.lend { cgroup in
            ignoringErrors { () throws(Errno) in
                try cgroup.open("cgroup.kill", .writeOnly).write([UInt8(ascii: "1")])
            }
        }
    }

    /// Closes all that only a living process needs; `outside` stays until it is reaped.
    func releaseDescriptors() {
        report = nil
        pidfd = nil
        cgroup = nil
        passedTerminal = nil
        input = nil
        output = nil
        error = nil
        log.close()
    }
}

extension LaunchPlan {
    /// A namespace that has other members gets its new one last of all; see `StepRunner.beBorn`.
    var isBornLate: Bool {
        switch pidNamespace {
        case .host, .new: false
        case .podInit, .container: true
        }
    }

    /// A launch that is not heard until all is over: each wake-up in between costs about as much as its step. For what is
    /// never held, and where a failure may kill the whole cgroup, since an exec's is not used again then.
    var isQuiet: Bool { kind == .exec && isBornLate }
}

/// For what is done on the way out, where a failure changes nothing: the thing is gone already.
func ignoringErrors<Result>(_ body: () throws(Errno) -> Result) {
    do throws(Errno) { _ = try body() } catch { return }
}
