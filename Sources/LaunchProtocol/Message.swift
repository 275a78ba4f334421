/// What the daemon asks of a supervisor. One datagram each; descriptors ride in the same datagram.
package enum Request: Sendable, Equatable {
    /// Asks for `Reply.container` once per container, then `Reply.snapshotEnd`.
    case snapshot
    /// Runs a plan. Descriptors: the plan (sealed memfd), the cgroup directory, then the plan's slots 0...
    /// For kind `container` and `podInit` `process` is the container's id; for `exec`, `process` is the exec's and `container` the
    /// container's. The answer is `launched`, `launchFailed` or `refused`; `held` may come before.
    /// Where only the exit is wanted, nothing comes instead of `launched`, and with `exited` the process is forgotten.
    case launch(process: Bytes, container: Bytes, untilExit: Bool = false)
    /// Lets a held launch continue, or ends it.
    case release(process: Bytes, go: Bool)
    /// Switches the log of a container to the passed descriptor, between two records. Answer: `done`.
    case reopenLog(container: Bytes)
    /// Closes the write end of a container's stdin pipe. Answer: `done`.
    case closeStdin(container: Bytes)
    /// Sets the size of a container's or exec's terminal. Answer: `done`.
    case resizeTerminal(process: Bytes, rows: UInt16, columns: UInt16)
    /// Forgets a process that has exited, and closes what it kept of it. Unknown names too answer `done`.
    case forget(process: Bytes)
    /// Makes a non-blocking TCP socket in the pod's network namespace. Answer: `socket` with the descriptor.
    case makeSocket(ipv6: Bool)
    /// Joins a client to the streams of a running container. Descriptors: the write ends of the client's pipes for output and
    /// error, those that are asked for. The answer is `attached` or `refused`; `detached` may follow.
    case attach(container: Bytes, input: Bool, output: Bool, error: Bool)
    /// Ends the supervisor; refused while a process of the pod lives. Answer: `done`, then the connection closes.
    case shutdown
}

/// What a supervisor says. Answers carry the request's id; events carry id 0.
package enum Reply: Sendable, Equatable {
    /// First message of every connection.
    case hello(podID: Bytes, supervisorPID: Int32, version: UInt16)
    /// One process of a snapshot. Descriptors: its pidfd while it runs.
    case container(ProcessState)
    case snapshotEnd
    /// execve(2) has succeeded. Descriptors: the pidfd; then the terminal's other end for `passedTerminal`.
    case launched(process: Bytes, pid: Int32, startedAtNanoseconds: Int64)
    case held(process: Bytes, pid: Int32, point: HoldPoint)
    /// A step failed: its index in the plan, the errno, and what it was doing (a path, mostly; at most 1,024 bytes).
    case launchFailed(process: Bytes, stepIndex: UInt32, errno: Int32, detail: Bytes)
    /// The request was understood and not carried out, for this errno.
    case refused(errno: Int32, detail: Bytes)
    case done
    case socket
    /// Event: a process has ended, its streams are drained, its exit record is on disk.
    case exited(ExitRecord)
    /// The client has its place, under a number that no other client of this supervisor gets. Descriptors: the container's input
    /// where it was asked for and is there: non-blocking, and to be written only.
    case attached(client: UInt64)
    /// Event: a client did not keep up and has lost its place; the ends of its pipes close after this.
    case detached(client: UInt64)
}

/// What a supervisor knows of one of its processes.
package struct ProcessState: Sendable, Equatable {
    package enum Phase: UInt8, Sendable { case launching = 0, held = 1, running = 2, exited = 3 }

    package var process: Bytes
    package var kind: LaunchPlan.Kind
    package var phase: Phase
    /// In the supervisor's PID namespace, which is the node's.
    package var pid: Int32
    package var startedAtNanoseconds: Int64
    /// Set in phase `exited`.
    package var exit: ExitRecord?
    /// Log lines that could not be written since the launch.
    package var logLinesDropped: UInt64

    package init(
        process: Bytes, kind: LaunchPlan.Kind, phase: Phase, pid: Int32, startedAtNanoseconds: Int64,
        exit: ExitRecord? = nil,
        logLinesDropped: UInt64 = 0
    ) {
        self.process = process
        self.kind = kind
        self.phase = phase
        self.pid = pid
        self.startedAtNanoseconds = startedAtNanoseconds
        self.exit = exit
        self.logLinesDropped = logLinesDropped
    }
}

/// How a process ended: kept in the file `<process>.exit` of the directory that the supervisor was given at birth.
package struct ExitRecord: Sendable, Equatable {
    package var process: Bytes
    package var kind: LaunchPlan.Kind
    package var pid: Int32
    /// Nanoseconds since 1970, CLOCK_REALTIME, when execve(2) had succeeded.
    package var startedAtNanoseconds: Int64
    package var exitedAtNanoseconds: Int64
    /// 0...255, or 128 + signal number.
    package var exitCode: Int32
    /// `oom_kill` of memory.events of the container's cgroup when the process had ended; 0 where it cannot be read.
    package var oomKills: UInt64

    package init(
        process: Bytes, kind: LaunchPlan.Kind, pid: Int32, startedAtNanoseconds: Int64, exitedAtNanoseconds: Int64,
        exitCode: Int32, oomKills: UInt64
    ) {
        self.process = process
        self.kind = kind
        self.pid = pid
        self.startedAtNanoseconds = startedAtNanoseconds
        self.exitedAtNanoseconds = exitedAtNanoseconds
        self.exitCode = exitCode
        self.oomKills = oomKills
    }
}
