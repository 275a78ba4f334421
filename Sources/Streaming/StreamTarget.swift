package import Linux
package import Model

/// What streaming requests lead to. Conformer: the daemon's adapter; a fake in the tests.
package protocol StreamTarget: Sendable {
    /// Starts a command in a running container, with the streams that are asked for (CRI Exec).
    func exec(_ request: ExecStream) async throws(Fault) -> any StreamSession
    /// Joins the streams of a container's main process (CRI Attach). Many may be joined at once.
    func attach(_ request: AttachStream) async throws(Fault) -> any StreamSession
    /// A connected, non-blocking TCP socket in the pod's network namespace: to 127.0.0.1, then to ::1 (CRI PortForward).
    func connect(to pod: PodID, port: UInt16) async throws(Fault) -> FDHandover
}

/// What an Exec asks for; `stderr` is false with `tty`, which has one output.
package struct ExecStream: Sendable, Equatable {
    package var container: ContainerID
    package var command: [String]
    package var streams: StreamChoice

    package init(container: ContainerID, command: [String], streams: StreamChoice) {
        self.container = container
        self.command = command
        self.streams = streams
    }
}

/// What an Attach asks for; `tty` is what the container was made with.
package struct AttachStream: Sendable, Equatable {
    package var container: ContainerID
    package var streams: StreamChoice

    package init(container: ContainerID, streams: StreamChoice) {
        self.container = container
        self.streams = streams
    }
}

/// Which streams a client has; at least one of the first three.
package struct StreamChoice: Sendable, Equatable {
    package var stdin: Bool
    package var stdout: Bool
    package var stderr: Bool
    package var tty: Bool

    package init(stdin: Bool, stdout: Bool, stderr: Bool, tty: Bool) {
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.tty = tty
    }
}

/// A process whose streams a client has.
///
/// The server takes each stream once, copies, and closes it. It calls `abandon` when the client goes before `exitCode` has
/// returned, and nothing else after that.
package protocol StreamSession: Sendable {
    /// What is written here is the process's input: a pipe, or the terminal. Nil where none was asked for. Non-blocking.
    var input: FDHandover? { get }
    /// The process's output, or all of a terminal's: the end of file is EOF for a pipe, EIO for a terminal. Non-blocking.
    var output: FDHandover? { get }
    var error: FDHandover? { get }
    /// The client has ended its input, and `input` is closed: for an attach this ends the container's own input where it
    /// was made with stdin_once, and changes nothing else.
    func inputEnded() async
    /// Sets the terminal's size; nothing happens without a terminal.
    func resize(rows: UInt16, columns: UInt16) async
    /// Waits until the process has ended: its exit code, 128 + signal for one that was killed. Its output may have more to read.
    func exitCode() async throws(Fault) -> Int32
    /// The client has gone; called at once, and before its streams are closed: a process that ended by their end would look as if
    /// it had ended by itself, and what it leaves behind would live. Must not wait.
    func clientIsGone()
    /// Follows `clientIsGone`. Kills an exec with all of its descendants; leaves the process of an attach alone.
    func abandon() async
}
