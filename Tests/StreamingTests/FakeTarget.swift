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

    func closeAll() { for end in [stdin, stdout, stderr] { end.close() } }
}

/// A process's end of a pipe or a terminal: blocking, and used from threads of its own.
final class FarEnd: Sendable {
    private let fd: Mutex<Int32>
    init(_ fd: Int32) { self.fd = Mutex(fd) }
    deinit { close() }

    func close() {
        fd.withLock { fd in
            if fd >= 0 { _ = Glibc.close(fd) }
            fd = -1
        }
    }

    /// Writes all of it on a thread that may wait; false when the other end is closed.
    @discardableResult
    func write(_ bytes: [UInt8]) async -> Bool {
        let number = fd.withLock { $0 }
        return await onThread {
            var done = 0
            while done < bytes.count {
                let count = bytes[done...].withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
                if count <= 0 { return false }
                done += count
            }
            return true
        }
    }

    func write(_ text: String) async { await write(Array(text.utf8)) }

    /// Exactly this many bytes, or fewer at the end.
    func read(_ count: Int) async -> [UInt8] {
        let number = fd.withLock { $0 }
        return await onThread {
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: min(count, 1 << 16))
            while bytes.count < count {
                let read = Glibc.read(number, &piece, min(piece.count, count - bytes.count))
                if read <= 0 { break }
                bytes += piece[..<read]
            }
            return bytes
        }
    }

    func readText(_ count: Int) async -> String { String(decoding: await read(count), as: UTF8.self) }
}

private let threads = BlockingPool(name: "far ends", threadsMax: 64)

func onThread<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
    do { return try await threads.run(body) } catch { preconditionFailure("\(error)") }
}

func makePipe() -> (reading: Int32, writing: Int32) {
    do throws(Errno) {
        var pipe = try Pipe()
        return (pipe.takeReading().take(), pipe.takeWriting().take())
    } catch {
        preconditionFailure("\(error)")
    }
}

func makeTerminal() -> (master: Int32, slave: Int32) {
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    #expect(cl_pty_unlock(master) == 0)
    return (master, Int32(cl_pty_peer(master)))
}

func setNonBlocking(_ fd: Int32) { #expect(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0) }
