package import Linux
import Synchronization

/// A process by its pidfd: signals reach it or nobody, whatever becomes of its number (pidfd_open(2)).
package final class ProcessHandle: Sendable {
    private let pidfd: Pidfd

    package init(_ pidfd: consuming Pidfd) { self.pidfd = pidfd }

    /// Sends a signal; false where the process has ended.
    package func signal(_ signal: Signal) throws(Errno) -> Bool {
        do throws(Errno) { try pidfd.send(signal) } catch  where error == .noProcess { return false }
        return true
    }

    package func hasEnded() throws(Errno) -> Bool { try pidfd.hasEnded() }

    /// Waits until the process has ended; false when `time` has passed before (nil: no limit). For any process, child or not.
    package func waitForEnd(on reactor: Reactor, within time: Duration? = nil) async throws(Errno) -> Bool {
        let end = EndOfProcess(self)
        return try await end.wait(on: reactor, within: time)
    }

    /// Takes the status of a child of this process; nil while it lives.
    func reap() throws(Errno) -> ExitStatus? { try pidfd.reap() }

    fileprivate func withDescriptor(_ body: (borrowing OwnedFD) throws(Errno) -> Void) throws(Errno) {
        try body(pidfd.fd)
    }
}

/// One wait for the end of a process: a pidfd is readable from then on.
private final class EndOfProcess: Watched {
    private let process: ProcessHandle
    private let waiter = OneShot<Result<Bool, Errno>>()

    init(_ process: ProcessHandle) { self.process = process }

    func wait(on reactor: Reactor, within time: Duration?) async throws(Errno) -> Bool {
        let token = reactor.add(self, .readable)
        let deadline = time.map { reactor.schedule(after: $0) { self.waiter.resolve(.success(false)) } }
        let result = await waiter.value()
        if let deadline { reactor.cancel(deadline) }
        reactor.remove(token)
        return try result.get()
    }

    func withWatched(_ body: (borrowing OwnedFD) throws(Errno) -> Void) throws(Errno) {
        try process.withDescriptor(body)
    }

    func ready(_ events: Epoll.Events) -> Bool {
        waiter.resolve(.success(true))
        return false
    }

    func dropped(_ reason: Errno) { waiter.resolve(.failure(reason)) }
}
