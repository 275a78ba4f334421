package import LaunchProtocol
package import Linux
package import Model
import Synchronization

/// What a supervisor tells on its own.
package enum SupervisorEvent: Sendable {
    /// A process has ended, its streams are drained, its record is on disk.
    case exited(ExitRecord)
    /// A launch waits at a hold point for `release`.
    case held(process: Bytes, pid: Int32, point: HoldPoint)
    /// The connection broke; nothing comes after this.
    case lost
}

/// The controlling connection to one pod's supervisor.
///
/// Requests are sent from the caller's thread and answered from the reactor's. A request that was sent is not taken back by
/// the cancellation of its task: it ends by its answer, by its deadline, or with the connection.
package final class SupervisorConnection: Watched {
    package typealias EventHandler = @Sendable (SupervisorEvent) -> Void

    /// Time for every request but `launch`.
    package static let requestDeadline = Duration.seconds(10)
    /// What a launch may take longer than its plan says: the supervisor kills at the plan's deadline and answers.
    package static let launchMargin = Duration.seconds(5)

    /// The supervisor itself, for the case that it hangs.
    package let supervisor: ProcessHandle
    package let supervisorPID: Int32
    let reactor: Reactor
    /// Nil when the connection has ended. Locked inside of `state`, never around it.
    private let socket: Mutex<PacketSocket?>
    private let events: EventHandler
    let state = Mutex(ConnectionState())
    let packedPlans = Mutex(PackedPlans())

    private init(
        socket: consuming PacketSocket, supervisor: ProcessHandle, pid: Int32, reactor: Reactor,
        events: @escaping EventHandler
    ) {
        self.socket = Mutex(socket)
        self.supervisor = supervisor
        supervisorPID = pid
        self.reactor = reactor
        self.events = events
    }

    /// Connects to `ctl` in a pod's directory and checks who answers: a process of root that is the listener, speaks for
    /// this pod, and in a version that can be read.
    ///
    /// - Parameter events: called on the reactor's thread, in order, from before this returns; it must not wait.
    package static func connect(
        to pod: PodID, in podDirectory: borrowing OwnedFD, reactor: Reactor, deadline: Duration = requestDeadline,
        events: @escaping EventHandler
    ) async throws(SupervisorError) -> SupervisorConnection {
        let socket: PacketSocket
        do throws(Errno) {
            socket = try PacketSocket.connect(to: Path(Birth.socketName), in: podDirectory, nonBlocking: true)
        } catch { throw .notListening(error) }
        let peer: PeerCredentials
        let supervisor: ProcessHandle
        do throws(Errno) {
            peer = try socket.peer()
            supervisor = ProcessHandle(try Pidfd.open(pid: peer.pid))
        } catch { throw .notListening(error) }
        guard peer.uid == 0 else { throw .wrongPeer("the listener is uid \(peer.uid)") }
        let connection = SupervisorConnection(
            socket: socket, supervisor: supervisor, pid: peer.pid, reactor: reactor, events: events)
        try await connection.greet(pod, deadline: deadline)
        return connection
    }

    /// Ends the connection; the supervisor lives on. `lost` is not reported.
    package func close() { end(.connectionLost, isReported: false) }

    /// Sends a request and waits for its answer.
    func ask(
        _ request: Request, descriptors: consuming DescriptorTable = DescriptorTable(), deadline: Duration,
        operation: String, onCut: (@Sendable () -> Void)? = nil
    ) async throws(SupervisorError) -> Answer {
        let waiter = OneShot<Result<Answer, SupervisorError>>()
        try send(
            request, descriptors: descriptors, deadline: deadline, operation: operation, waiter: waiter, onCut: onCut)
        return try await waiter.value().get()
    }

    func forgetClient(_ client: UInt64) { _ = state.withLock { $0.takeClient(client) } }

    func forgetExit(of process: Bytes) { state.withLock { $0.forgetExit(of: process) } }

    /// The exit of a process that was launched and not forgotten, now or when it comes; nil when `time` has passed before.
    package func exit(of process: Bytes, within time: Duration? = nil) async throws(SupervisorError) -> ExitRecord? {
        try await exit(expectExit(of: process), within: time)
    }

    /// A wait for the exit of a process that may still have to be launched; to be ended by `exit(_:within:)`.
    func expectExit(of process: Bytes) -> ExpectedExit {
        let waiter = ConnectionState.ExitWaiter()
        return ExpectedExit(waiter: waiter, key: state.withLock { $0.awaitExit(of: process, waiter) })
    }

    func exit(_ expected: ExpectedExit, within time: Duration?) async throws(SupervisorError) -> ExitRecord? {
        let deadline = time.map { reactor.schedule(after: $0) { expected.waiter.resolve(.success(nil)) } }
        let result = await expected.waiter.value()
        if let deadline { reactor.cancel(deadline) }
        state.withLock { $0.stopAwaitingExit(expected.key) }
        return try result.get()
    }

    /// A held launch counts no time; released, it has its whole time again.
    func restartDeadline(of process: Bytes) {
        state.withLock { state in
            guard let id = state.launchID(of: process), let time = state.pending[id]?.time else { return }
            state.pending[id]?.timer = reactor.schedule(after: time) { self.expire(id) }
        }
    }
}

// MARK: Sending

extension SupervisorConnection {
    private func greet(_ pod: PodID, deadline: Duration) async throws(SupervisorError) {
        let waiter = OneShot<Result<Answer, SupervisorError>>()
        state.withLock { state in
            state.pending[ConnectionState.helloID] = Pending(
                operation: "greet", process: nil, time: deadline,
                timer: reactor.schedule(after: deadline) { self.expire(ConnectionState.helloID) }, waiter: waiter)
            state.token = reactor.add(self, [.readable, .peerClosed])
        }
        do throws(SupervisorError) {
            guard case .hello(let name, let pid, let version) = try await waiter.value().get() else {
                throw .protocolViolation("no greeting first")
            }
            guard name == Bytes(pod.text.utf8) else { throw .wrongPeer("it serves another pod") }
            guard pid == supervisorPID else { throw .wrongPeer("the listener and the speaker are two processes") }
            guard version > 0 else { throw .wrongPeer("it speaks version \(version)") }
        } catch {
            close()
            throw error
        }
    }

    func send(
        _ request: Request, descriptors: consuming DescriptorTable, deadline: Duration, operation: String,
        waiter: OneShot<Result<Answer, SupervisorError>>?, process: Bytes? = nil, onCut: (@Sendable () -> Void)? = nil
    ) throws(SupervisorError) {
        let id = state.withLock { $0.takeID() }
        let bytes: Bytes
        do throws(WireError) { bytes = try Frame.encode(request, id: id) } catch { throw .unsendable(error) }
        let packet = OutgoingPacket(bytes: bytes, descriptors: descriptors)
        var process = process
        var launch: Pending.Launch?
        if case .launch(let name, _, let untilExit) = request {
            (process, launch) = (name, untilExit ? .untilExit : .attended)
        }
        let failure: SupervisorError? = state.withLock { [process, launch] state in
            if state.isEnded { return .connectionLost }
            if let failure = enqueue(packet, &state) { return failure }
            // Under the lock: neither the answer nor the deadline may come before the request is known as pending.
            state.pending[id] = Pending(
                operation: operation, process: process, launch: launch, time: deadline,
                timer: reactor.schedule(after: deadline) { self.expire(id) }, waiter: waiter, onCut: onCut)
            return nil
        }
        if let failure { throw failure }
    }

    /// Sends at once where nothing waits before it, else when the socket takes more.
    private func enqueue(_ packet: OutgoingPacket, _ state: inout ConnectionState) -> SupervisorError? {
        if state.outbox.isEmpty {
            do throws(Errno) {
                try send(packet)
                return nil
            } catch {
                switch error {
                case .again: break
                case .brokenPipe, .connectionReset, .notConnected: return .connectionLost
                default: return .kernel(operation: "send a request", error)
                }
            }
        }
        guard state.outbox.count < ConnectionState.outboxMax else { return .notReading }
        state.outbox.append(packet)
        if let token = state.token { reactor.modify(token, [.readable, .writable, .peerClosed]) }
        return nil
    }

    private func send(_ packet: OutgoingPacket) throws(Errno) {
        try socket.withLock { socket throws(Errno) in
            if socket == nil { throw Errno.notConnected }
            try socket?.send(packet)
        }
    }

    private func flush() {
        state.withLock { state in
            var sent = 0
            for packet in state.outbox {
                do throws(Errno) { try send(packet) } catch  where error == .again { break } catch {
                    // The peer has gone: the reader finds out, and fails what waits.
                    sent = state.outbox.count
                    break
                }
                sent += 1
            }
            state.outbox.removeFirst(min(sent, state.outbox.count))
            if state.outbox.isEmpty, let token = state.token { reactor.modify(token, [.readable, .peerClosed]) }
        }
    }
}

// MARK: Receiving, on the reactor's thread

extension SupervisorConnection {
    package func withWatched(_ body: (borrowing OwnedFD) throws(Errno) -> Void) throws(Errno) {
        try socket.withLock { socket throws(Errno) in
            if socket == nil { throw Errno.notConnected }
            try socket?.withDescriptor(body)
        }
    }

    package func dropped(_ reason: Errno) { end(.connectionLost, isReported: true) }

    package func ready(_ events: Epoll.Events) -> Bool {
        if events.contains(.writable) { flush() }
        // One packet a turn: mostly there is one, and what is left keeps the socket ready.
        let packet: Packet?
        do throws(Errno) {
            packet = try Self.buffer.withLock { buffer throws(Errno) in
                try socket.withLock { socket throws(Errno) in try socket?.receive(by: &buffer) }
            }
        } catch {
            if error == .again { return true }
            let isGone = error == .connectionReset || error == .brokenPipe
            end(isGone ? .connectionLost : .kernel(operation: "receive an answer", error), isReported: true)
            return false
        }
        guard var packet else {
            end(.connectionLost, isReported: true)
            return false
        }
        do throws(SupervisorError) { try receive(&packet) } catch {
            end(error, isReported: true)
            return false
        }
        return true
    }

    /// All connections are read on the reactor's thread, one packet after the other.
    private static let buffer = Mutex(Bytes(repeating: 0, count: WireLimits.datagramBytes))

    private func receive(_ packet: inout Packet) throws(SupervisorError) {
        let id: UInt32
        let reply: Reply
        do throws(WireError) { (id, reply) = try Frame.decodeReply(packet.bytes) } catch {
            // A newer supervisor's event means nothing to us; a newer answer to our own question cannot be.
            if case .unknownKind(_, id: 0) = error { return }
            throw .protocolViolation("an unreadable message (\(error))")
        }
        switch reply {
        case .exited(let record):
            let (waiters, launch) = state.withLock { $0.noteExit(record) }
            if let launch {
                reactor.cancel(launch.timer)
                if launch.launch == .forgetting { forgetLater(record.process) }
            }
            for waiter in waiters { waiter.resolve(.success(record)) }
            events(.exited(record))
        case .held(let process, let pid, let point):
            let timer = state.withLock { state in
                state.launchID(of: process).flatMap { state.pending[$0]?.timer }
            }
            if let timer { reactor.cancel(timer) }
            events(.held(process: process, pid: pid, point: point))
        case .container(let state):
            var process = SupervisedProcess(state: state)
            if let pidfd = packet.descriptors.take(0) { process.handle = ProcessHandle(Pidfd(pidfd)) }
            self.state.withLock { [process] in $0.noteProcess(process, answering: id) }
        case .hello(let podID, let pid, let version):
            resolve(ConnectionState.helloID, .success(.hello(podID, pid, version)))
        case .snapshotEnd: resolve(id, .success(.snapshot))
        case .launched(_, let pid, let startedAt):
            guard let pidfd = packet.descriptors.take(0) else { throw .protocolViolation("a launch without a pidfd") }
            if let timer = state.withLock({ $0.noteUnasked(id) }) { return reactor.cancel(timer) }
            var launched = LaunchedProcess(
                pid: pid, startedAtNanoseconds: startedAt, handle: ProcessHandle(Pidfd(pidfd)))
            if let terminal = packet.descriptors.take(1) { launched.terminal = SharedDescriptor(terminal) }
            resolve(id, .success(.launched(launched)))
        case .launchFailed(_, let index, let errno, let detail):
            resolve(id, .failure(.stepFailed(index: index, errno: Errno(errno), detail: detail)))
        case .refused(let errno, let detail): resolveRefused(id, Errno(errno), detail)
        case .done: resolve(id, .success(.done))
        case .socket:
            guard let socket = packet.descriptors.take(0) else {
                throw .protocolViolation("a socket answer without a socket")
            }
            resolve(id, .success(.socket(SharedDescriptor(socket))))
        case .attached(let client):
            // Known before its answer is: it may lose its place at once.
            state.withLock { $0.noteClient(client, answering: id) }
            var attached = Attached(client: client)
            if let input = packet.descriptors.take(0) { attached.input = FDHandover(input) }
            resolve(id, .success(.attached(attached)))
        case .detached(let client): state.withLock { $0.takeClient(client) }?()
        }
    }

    /// An answer to a request that has run out of time goes nowhere, and its descriptors close.
    private func resolve(_ id: UInt32, _ result: Result<Answer, SupervisorError>) {
        guard let pending = state.withLock({ $0.pending.removeValue(forKey: id) }) else { return }
        reactor.cancel(pending.timer)
        if case .success(.snapshot) = result {
            pending.waiter?.resolve(.success(.processes(pending.processes)))
        } else {
            finish(pending, result)
        }
    }

    private func finish(_ pending: Pending, _ result: Result<Answer, SupervisorError>) {
        if let waiter = pending.waiter { return waiter.resolve(result) }
        // It was not launched, or nothing more can be known of it.
        guard case .failure(let error) = result, let process = pending.process else { return }
        for waiter in state.withLock({ $0.exitWaiters(of: process) }) { waiter.resolve(.failure(error)) }
    }

    private func resolveRefused(_ id: UInt32, _ errno: Errno, _ detail: Bytes) {
        let operation = state.withLock { $0.pending[id]?.operation } ?? ""
        resolve(
            id,
            .failure(.refused(operation: operation, errno: errno, detail: String(decoding: detail, as: UTF8.self))))
    }

    private func expire(_ id: UInt32) {
        let expired: Pending? = state.withLock { state in
            switch state.pending[id]?.launch {
            case .untilExit: state.pending[id]
            case .forgetting: nil
            case .attended, nil: state.pending.removeValue(forKey: id)
            }
        }
        guard let expired else { return }
        if expired.launch == .untilExit { return demandAnswer(for: expired) }
        finish(expired, .failure(.deadlineExceeded(operation: expired.operation)))
    }

    /// It runs, or its failure would be known: unless the supervisor does not work any more, and that is asked for.
    private func demandAnswer(for launch: Pending) {
        do throws(SupervisorError) {
            try send(
                .snapshot, descriptors: DescriptorTable(), deadline: Self.requestDeadline, operation: launch.operation,
                waiter: nil, process: launch.process)
        } catch {
            finish(launch, .failure(error))
        }
    }

    private func end(_ reason: SupervisorError, isReported: Bool) {
        let ended = state.withLock { $0.end() }
        guard let ended else { return }
        socket.withLock { $0 = nil }
        if let token = ended.token { reactor.remove(token) }
        for pending in ended.pending {
            reactor.cancel(pending.timer)
            pending.waiter?.resolve(.failure(reason))
        }
        for waiter in ended.exitWaiters { waiter.resolve(.failure(reason)) }
        if isReported { events(.lost) }
    }
}
