package import Model

/// What streams connect to: running containers and pods' networks. Conformer: the daemon's adapter on `Lifecycle`.
package protocol StreamTarget: Sendable {
    /// Starts a further process in a running container. Throws `Fault` where the container is not running or the process
    /// could not be started.
    func exec(_ request: ExecStream) async throws -> ProcessStreams
    /// Connects to the main process of a running container. Several clients may be attached at once.
    func attach(_ request: AttachStream) async throws -> ProcessStreams
    /// A TCP connection to `localhost:port` in the pod's network namespace, IPv4 tried first, then IPv6. Throws `Fault` with
    /// the sentence for the client's error stream.
    func connect(_ pod: PodID, port: UInt16) async throws -> PassedDescriptor
}

package struct ExecStream: Sendable, Equatable {
    package var container: ContainerID
    package var command: [String]
    package var terminal: Bool
    package var stdin: Bool
    package var stdout: Bool
    package var stderr: Bool

    package init(container: ContainerID, command: [String], terminal: Bool, stdin: Bool, stdout: Bool, stderr: Bool) {
        self.container = container
        self.command = command
        self.terminal = terminal
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
    }
}

package struct AttachStream: Sendable, Equatable {
    package var container: ContainerID
    package var terminal: Bool
    package var stdin: Bool
    package var stdout: Bool
    package var stderr: Bool

    package init(container: ContainerID, terminal: Bool, stdin: Bool, stdout: Bool, stderr: Bool) {
        self.container = container
        self.terminal = terminal
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
    }
}

/// A descriptor on its way to another owner: non-blocking and close-on-exec. Whoever takes the number closes it.
package struct PassedDescriptor: Sendable, Equatable {
    package var number: Int32

    package init(_ number: Int32) {
        self.number = number
    }
}

/// The two ends of a process's standard streams and what can be done with the process.
///
/// The descriptors are the receiver's from now on. With a terminal, `stdin` and `stdout` are two descriptors of one terminal
/// (or of one socket that carries it), and there is no `stderr`. A stream that was not asked for is nil.
package struct ProcessStreams: Sendable {
    /// Written to. Closing it ends the process's standard input: of an exec always, of an attached container only where the
    /// container has `stdin_once`.
    package var stdin: PassedDescriptor?
    /// Read from until it ends. EIO of a terminal is its end as well.
    package var stdout: PassedDescriptor?
    package var stderr: PassedDescriptor?
    /// Sets the size of the terminal. Without a terminal it does nothing.
    package var resize: @Sendable (_ rows: UInt16, _ columns: UInt16) async -> Void
    /// Waits for the process's end: its exit code, 128 + N after signal N. An attached client that only watches gets the
    /// container's exit code. Throws `Fault` where that cannot be known any more.
    package var ended: @Sendable () async throws -> Int32
    /// The client has gone: kills an exec with all of its descendants, and waits until none is left; detaches an attached
    /// client. May be called any number of times, after the end as well.
    package var abandon: @Sendable () async -> Void

    package init(
        stdin: PassedDescriptor?, stdout: PassedDescriptor?, stderr: PassedDescriptor?,
        resize: @escaping @Sendable (_ rows: UInt16, _ columns: UInt16) async -> Void,
        ended: @escaping @Sendable () async throws -> Int32, abandon: @escaping @Sendable () async -> Void
    ) {
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.resize = resize
        self.ended = ended
        self.abandon = abandon
    }
}
