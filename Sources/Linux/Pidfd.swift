import CLinux

/// A process that cannot be mistaken for another: pidfd_open(2).
package struct Pidfd: ~Copyable, Sendable {
    package let fd: OwnedFD

    package init(_ fd: consuming OwnedFD) { self.fd = fd }

    /// Of a living process, or of a child that nobody has waited for.
    package static func open(pid: Int32) throws(Errno) -> Pidfd {
        Pidfd(OwnedFD(taking: descriptor(try check(cl_pidfd_open(pid)))))
    }

    /// The corresponding C function is `pidfd_send_signal`; ESRCH when it has ended.
    package func send(_ signal: Signal) throws(Errno) { try check(cl_pidfd_send_signal(fd.raw, signal.rawValue)) }

    /// Takes the status of a child that has ended, without waiting; nil while it lives. ECHILD: not our child.
    package func reap() throws(Errno) -> ExitStatus? { try wait(blocking: false) }

    /// Waits for a child to end.
    package func wait() throws(Errno) -> ExitStatus {
        guard let status = try wait(blocking: true) else { throw .again }
        return status
    }

    /// Whether it is a child of the caller that has not been waited for.
    package func isChild() -> Bool {
        var code: Int32 = 0
        var status: Int32 = 0
        // Both places outlive the call.
        return unsafe cl_peek_pidfd(fd.raw, &code, &status) >= 0
    }

    package func duplicate() throws(Errno) -> Pidfd { Pidfd(try fd.duplicate()) }

    /// Whether it has ended: a pidfd is readable then (for any process, child or not).
    package func hasEnded() throws(Errno) -> Bool { try fd.waitReadable(milliseconds: 0) }

    /// The status of a child that has ended, left where it is; nil while it lives, and for what is no child.
    package func peekStatus() -> ExitStatus? {
        var code: Int32 = 0
        var status: Int32 = 0
        // Both places outlive the call.
        guard unsafe cl_peek_pidfd(fd.raw, &code, &status) == 1 else { return nil }
        return ExitStatus(code: code, status: status)
    }

    private func wait(blocking: Bool) throws(Errno) -> ExitStatus? {
        var code: Int32 = 0
        var status: Int32 = 0
        let found = try retrying { unsafe cl_wait_pidfd(fd.raw, blocking ? 1 : 0, &code, &status) }
        if found == 0 { return nil }
        return ExitStatus(code: code, status: status)
    }
}

/// How a process ended (wait(2)).
package enum ExitStatus: Sendable, Equatable {
    case exited(Int32)
    case signaled(Signal)

    /// From a siginfo_t: CLD_EXITED is 1; CLD_KILLED 2 and CLD_DUMPED 3 come with the signal's number.
    init(code: Int32, status: Int32) {
        self = code == 1 ? .exited(status) : .signaled(Signal(rawValue: status))
    }

    /// The code that shells and CRI use: 128 + number for a signal.
    package var code: Int32 {
        switch self {
        case .exited(let code): code
        case .signaled(let signal): 128 + signal.rawValue
        }
    }
}
