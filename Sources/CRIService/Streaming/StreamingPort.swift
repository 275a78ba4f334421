package import Model

/// Gives clients the URLs at which they find streams. Conformer: the daemon's adapter on its streaming server.
///
/// Each URL is good for one use within a short time. Throws `Fault.Code.resourceExhausted` where too many are unused.
package protocol StreamingPort: Sendable {
    /// For a command in a running container.
    func execURL(_ container: ContainerID, command: [String], _ streams: StreamSelection) throws(Fault) -> String
    /// For the main process of a running container.
    func attachURL(_ container: ContainerID, _ streams: StreamSelection) throws(Fault) -> String
    /// For ports of a ready pod; a client may name others than these when it comes.
    func portForwardURL(_ pod: PodID, ports: [UInt16]) throws(Fault) -> String
}

/// Which streams a client wants; at least one of the first three, and no `stderr` with `tty`.
package struct StreamSelection: Sendable, Equatable {
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

extension StreamSelection {
    /// Checks what the CRI demands of Exec and Attach.
    func checked() throws(Fault) -> StreamSelection {
        guard stdin || stdout || stderr else { throw .invalid("stdin, stdout, stderr: one of them must be set") }
        guard !tty || !stderr else { throw .invalid("stderr: a terminal (tty) has one output, stdout") }
        return self
    }
}
