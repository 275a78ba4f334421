/// What a supervisor runs: how a process is born, where its standard streams go, and the steps that end in `execute`.
///
/// A birth plan is run by the supervisor in its own process and ends without `execute`.
package struct LaunchPlan: Sendable, Equatable {
    package var kind: Kind
    package var pidNamespace: PIDNamespace
    package var streams: Streams
    /// Time for all steps up to a successful execve(2), in milliseconds, hold time not counted; then the child is killed.
    package var deadlineMilliseconds: UInt32
    package var steps: [Step]

    package init(
        kind: Kind, pidNamespace: PIDNamespace = .host, streams: Streams = .null, deadlineMilliseconds: UInt32 = 60_000,
        steps: [Step]
    ) {
        self.kind = kind
        self.pidNamespace = pidNamespace
        self.streams = streams
        self.deadlineMilliseconds = deadlineMilliseconds
        self.steps = steps
    }

    package enum Kind: UInt8, Sendable, Equatable {
        /// Run by the supervisor itself.
        case birth = 0
        /// The main process of a container.
        case container = 1
        /// A further process in a running container.
        case exec = 2
        /// PID 1 of a PID namespace that the pod's containers share.
        case podInit = 3
    }

    /// Where the child is born (clone3(2), pid_namespaces(7)).
    package enum PIDNamespace: Sendable, Equatable {
        case host
        /// CLONE_NEWPID: the child is PID 1 of its own.
        case new
        /// Of the pod's init.
        case podInit
        /// Of the main process of another container of the pod; for an exec, of its own container.
        case container(Bytes)
    }

    package enum Streams: Sendable, Equatable {
        /// All three on /dev/null.
        case null
        /// The supervisor keeps pipes: stdout and stderr go to the log file in slot `log` (nil = read and dropped); stdin is a
        /// pipe kept for attach where `stdin` is set, else /dev/null.
        case logged(log: DescriptorSlot?, stdin: Bool, limits: LogLimits = .none)
        /// One terminal (step `openTerminal`), its output logged as stdout.
        case loggedTerminal(log: DescriptorSlot?, limits: LogLimits = .none)
        /// The descriptors of these slots; nil = /dev/null.
        case passed(stdin: DescriptorSlot?, stdout: DescriptorSlot?, stderr: DescriptorSlot?)
        /// A terminal (step `openTerminal`) whose other end is sent on to the daemon.
        case passedTerminal
    }
}
