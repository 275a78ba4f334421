import Glibc
import LaunchProtocol
import Linux
import Model
import Synchronization
import SupervisorClient
import TestKit

/// The other end of a control socket, scripted by a test: it runs in this process, so that its pid is the listener's.
final class FakeSupervisor: Sendable {
    let pod = PodID.random()
    let root: TemporaryRoot
    let directory: OwnedFD
    private let listener: PacketListener
    private let pool = BlockingPool(name: "fake", threadsMax: 2)

    init() throws {
        root = try TemporaryRoot("fake-supervisor")
        directory = try OwnedFD.open(Path(root.path), [.readOnly, .directory])
        listener = try PacketListener(name: Path(Birth.socketName), in: directory, mode: 0o600)
    }

    /// Accepts one connection and serves it with `script` on a thread of its own.
    func serve<T: Sendable>(_ script: @escaping @Sendable (FakeConnection) throws -> T) async throws -> T {
        try await pool.run {
            _ = try self.listener.fd.waitReadable(milliseconds: 10_000)
            guard let socket = try self.listener.accept() else { throw TestFailure("nobody connected") }
            try socket.fd.setNonBlocking(false)
            return try script(FakeConnection(socket))
        }
    }

    /// Greets as the pod's supervisor would.
    var hello: Reply {
        get throws {
            .hello(podID: Bytes(pod.text.utf8), supervisorPID: getpid(), version: Wire.version)
        }
    }

    /// Serves one connection with `script` (after the greeting) while `body` uses it; closes it in any case.
    func talk(
        on reactor: Reactor, events: @escaping @Sendable (SupervisorEvent) -> Void = { _ in },
        script: @escaping @Sendable (FakeConnection) throws -> Void, body: (SupervisorConnection) async throws -> Void
    ) async throws {
        async let served: Void = serve { client in
            try client.send(try self.hello, id: 0)
            try script(client)
            try client.waitForEnd()
        }
        let connection = try await connect(on: reactor, events: events)
        do { try await body(connection) } catch {
            // Also ends a script that waits for more.
            connection.close()
            throw error
        }
        connection.close()
        try await served
    }

    func connect(
        on reactor: Reactor, deadline: Duration = .seconds(10),
        events: @escaping @Sendable (SupervisorEvent) -> Void = { _ in }
    ) async throws -> SupervisorConnection {
        try await SupervisorConnection.connect(
            to: pod, in: directory, reactor: reactor, deadline: deadline, events: events)
    }
}

final class FakeConnection: Sendable {
    let socket: PacketSocket

    init(_ socket: consuming PacketSocket) { self.socket = socket }

    func send(_ reply: Reply, id: UInt32) throws { try socket.send(try Frame.encode(reply, id: id)) }

    func send(_ reply: Reply, id: UInt32, with fd: borrowing OwnedFD) throws {
        try socket.send(try Frame.encode(reply, id: id), with: fd)
    }

    /// The next request; waits for it.
    func receive() throws -> (id: UInt32, request: Request, descriptorCount: Int) {
        guard let packet = try socket.receive(max: WireLimits.datagramBytes) else {
            throw TestFailure("the client is gone")
        }
        let (id, request) = try Frame.decodeRequest(packet.bytes)
        return (id, request, packet.descriptors.count)
    }

    /// The next request, which is a launch: its number, the inode of the file that the plan is in, and the plan. The other
    /// descriptors are closed.
    func receiveLaunch() throws -> (id: UInt32, file: UInt64, plan: LaunchPlan, request: Request) {
        guard var packet = try socket.receive(max: WireLimits.datagramBytes) else {
            throw TestFailure("the client is gone")
        }
        let (id, request) = try Frame.decodeRequest(packet.bytes)
        guard let file = packet.descriptors.take(0) else { throw TestFailure("a launch without a plan") }
        let plan = try PlanCoder.decode(try MemoryFile.readSealed(file, max: WireLimits.planBytes))
        return (id, try file.status().inode, plan, request)
    }

    /// Waits until the client has closed.
    func waitForEnd() throws {
        do throws(Errno) { while try socket.receive(max: WireLimits.datagramBytes) != nil {} } catch {
            if error != .connectionReset { throw error }
        }
    }
}

/// Events in the order they came.
final class EventLog: Sendable {
    private let names = Mutex<[String]>([])

    func note(_ event: SupervisorEvent) {
        let name =
            switch event {
            case .exited(let record): "exited \(String(decoding: record.process, as: UTF8.self)) \(record.exitCode)"
            case .held(let process, _, let point): "held \(String(decoding: process, as: UTF8.self)) \(point)"
            case .lost: "lost"
            }
        names.withLock { $0.append(name) }
    }

    var all: [String] { names.withLock { $0 } }
}

func bytes(_ text: String) -> Bytes { Bytes(text.utf8) }

func record(_ process: String, code: Int32) -> ExitRecord {
    ExitRecord(
        process: bytes(process), kind: .container, pid: 1, startedAtNanoseconds: 1, exitedAtNanoseconds: 2,
        exitCode: code,
        oomKills: 0)
}

/// A reactor that ends with the test.
func withReactor(_ body: (Reactor) async throws -> Void) async throws {
    let reactor = try await Reactor.start()
    do { try await body(reactor) } catch {
        await reactor.shutdown()
        throw error
    }
    await reactor.shutdown()
}
