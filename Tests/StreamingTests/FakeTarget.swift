import CLinux
import Glibc
import Linux
import Model
import Streaming
import Synchronization
import Testing

/// A target whose processes are played by the test: it holds the far ends of real pipes and terminals.
final class FakeTarget: StreamTarget {
    private struct State {
        var execs: [ExecStream] = []
        var attaches: [AttachStream] = []
        var sessions: [FakeSession] = []
        var waiters: [(count: Int, waiter: CheckedContinuation<FakeSession, Never>)] = []
        var fault: Fault?
        var gate: Gate?
        var calls = 0
    }

    private let state = Mutex(State())
    /// Ports that can be connected to, and the listener behind each.
    let ports = Mutex<[UInt16: EchoListener]>([:])

    /// The next calls fail with this.
    func fail(with fault: Fault?) { state.withLock { $0.fault = fault } }
    /// The next calls wait for this.
    func hold(at gate: Gate?) { state.withLock { $0.gate = gate } }

    var execs: [ExecStream] { state.withLock { $0.execs } }
    var attaches: [AttachStream] { state.withLock { $0.attaches } }
    var calls: Int { state.withLock { $0.calls } }

    /// The session of the `number`th call, when it has begun.
    func session(_ number: Int = 0) async -> FakeSession {
        await withCheckedContinuation { waiter in
            state.withLock { state in
                if state.sessions.count > number {
                    waiter.resume(returning: state.sessions[number])
                } else {
                    state.waiters.append((number, waiter))
                }
            }
        }
    }

    func exec(_ request: ExecStream) async throws(Fault) -> any StreamSession {
        state.withLock { $0.execs.append(request) }
        return try await begin(request.streams)
    }

    func attach(_ request: AttachStream) async throws(Fault) -> any StreamSession {
        state.withLock { $0.attaches.append(request) }
        return try await begin(request.streams)
    }

    func connect(to pod: PodID, port: UInt16) async throws(Fault) -> FDHandover {
        let gate = state.withLock { state in
            state.calls += 1
            return state.gate
        }
        await gate?.wait()
        guard let listener = ports.withLock({ $0[port] }) else {
            throw Fault(.unavailable, "connect to port \(port)", cause: "connection refused")
        }
        return FDHandover(OwnedFD(taking: listener.connect()))
    }

    private func begin(_ choice: StreamChoice) async throws(Fault) -> FakeSession {
        let (fault, gate) = state.withLock { state in
            state.calls += 1
            return (state.fault, state.gate)
        }
        await gate?.wait()
        if let fault { throw fault }
        let session = FakeSession(choice)
        state.withLock { state in
            state.sessions.append(session)
            let count = state.sessions.count
            for (number, waiter) in state.waiters where number < count {
                waiter.resume(returning: state.sessions[number])
            }
            state.waiters.removeAll { $0.count < count }
        }
        return session
    }
}

/// A door that many wait at until it is opened, once.
final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiters: [CheckedContinuation<Void, Never>])>((false, []))

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { waiter in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(waiter) }
                return state.isOpen
            }
            if isOpen { waiter.resume() }
        }
    }
}

/// One process: `stdin` is read, `stdout` and `stderr` are written by the test.
final class FakeSession: StreamSession {
    let input: FDHandover?
    let output: FDHandover?
    let error: FDHandover?
    let stdin: FarEnd
    let stdout: FarEnd
    let stderr: FarEnd
    /// Counts "abandon", "inputEnded" and "resize".
    let probe = Probe()

    struct Size: Equatable {
        var rows: UInt16
        var columns: UInt16
    }

    private struct State {
        var result: Result<Int32, Fault>?
        var waiter: CheckedContinuation<Result<Int32, Fault>, Never>?
        var sizes: [FakeSession.Size] = []
    }

    private let state = Mutex(State())

    init(_ choice: StreamChoice) {
        if choice.tty {
            let (master, slave) = makeTerminal()
            var settings = termios()
            tcgetattr(slave, &settings)
            cfmakeraw(&settings)
            tcsetattr(slave, TCSANOW, &settings)
            setNonBlocking(master)
            input = choice.stdin ? FDHandover(OwnedFD(taking: fcntl(master, F_DUPFD_CLOEXEC, 3))) : nil
            output = FDHandover(OwnedFD(taking: master))
            error = nil
            stdin = FarEnd(fcntl(slave, F_DUPFD_CLOEXEC, 3))
            stdout = FarEnd(slave)
            stderr = FarEnd(-1)
        } else {
            let pipes: [(reading: Int32, writing: Int32)] = [choice.stdin, choice.stdout, choice.stderr].map {
                $0 ? makePipe() : (-1, -1)
            }
            for fd in [pipes[0].writing, pipes[1].reading, pipes[2].reading] where fd >= 0 { setNonBlocking(fd) }
            input = choice.stdin ? FDHandover(OwnedFD(taking: pipes[0].writing)) : nil
            output = choice.stdout ? FDHandover(OwnedFD(taking: pipes[1].reading)) : nil
            error = choice.stderr ? FDHandover(OwnedFD(taking: pipes[2].reading)) : nil
            stdin = FarEnd(pipes[0].reading)
            stdout = FarEnd(pipes[1].writing)
            stderr = FarEnd(pipes[2].writing)
        }
    }

    var sizes: [FakeSession.Size] { state.withLock { $0.sizes } }

    func inputEnded() async { probe.signal("inputEnded") }

    func resize(rows: UInt16, columns: UInt16) async {
        state.withLock { $0.sizes.append(FakeSession.Size(rows: rows, columns: columns)) }
        probe.signal("resize")
    }

    func exitCode() async throws(Fault) -> Int32 {
        let result = await withCheckedContinuation { waiter in
            let known = state.withLock { state in
                if state.result == nil { state.waiter = waiter }
                return state.result
            }
            if let known { waiter.resume(returning: known) }
        }
        return try result.get()
    }

    func clientIsGone() { probe.signal(stdout.isCutOff || stderr.isCutOff ? "heard too late" : "client is gone") }

    func abandon() async {
        closeAll()
        resolve(.failure(Fault(.cancelled, "abandoned")))
        probe.signal("abandon")
    }

    /// The process ends: its descriptors are closed, and its status is known.
    func end(_ code: Int32) {
        closeAll()
        resolve(.success(code))
    }

    /// The status alone, as when a child goes on with the descriptors.
    func resolve(_ result: Result<Int32, Fault>) {
        let waiter = state.withLock { state in
            if state.result == nil { state.result = result }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: result)
    }

    /// Closes the output's last writer and opens one anew, again and again: a terminal by its name, a pipe through a descriptor
    /// that can only read, as a process in a container may do it by way of /proc/self/fd.
    func reopenOutput(times: Int) async {
        let name = stdout.name
        let isTerminal = name.hasPrefix("/dev/")
        let reader = isTerminal ? -1 : open(stdout.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        let path = isTerminal ? name : "/proc/self/fd/\(reader)"
        stdin.close()
        stdout.close()
        await onThread {
            for _ in 0..<times {
                let writer = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
                if writer >= 0 { Glibc.close(writer) }
            }
            if reader >= 0 { Glibc.close(reader) }
        }
    }

    func closeAll() { for end in [stdin, stdout, stderr] { end.close() } }
}
