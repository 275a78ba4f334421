import LaunchProtocol
import Lifecycle
import Linux
import Logging
import Model
import SupervisorClient
import Synchronization

/// The lifecycle's supervisors, by way of `SupervisorClient`: descriptors for the paths of its values, one connection a pod.
final class SupervisorAdapter: SupervisorPort {
    private struct State {
        var connections: [PodID: SupervisorConnection] = [:]
        var handles: [PodID: [String: ProcessHandle]] = [:]
        var started: UInt64 = 0
        var lost: UInt64 = 0
    }

    private let paths: Layout
    /// Mount point of cgroup2.
    let cgroupMount: String
    /// Cgroup of a pod's supervisor, below the mount point.
    private let supervisorCgroup: @Sendable (PodID) -> String
    let reactor: Reactor
    private let spawner: SupervisorSpawner
    let pool: BlockingPool
    private let log: Logger
    private let leaks: LeakTally
    let leaves = ExecLeaves()
    let inputClaims = InputClaims()
    private let state = Mutex(State())
    private let sink = Mutex<(@Sendable (Lifecycle.SupervisorEvent, PodID) async -> Void)?>(nil)

    init(
        paths: Layout, cgroupMount: String, supervisorCgroup: @escaping @Sendable (PodID) -> String,
        launcher: SealedLauncher,
        reactor: Reactor, pool: BlockingPool, log: Logger, leaks: LeakTally
    ) {
        self.paths = paths
        self.cgroupMount = cgroupMount
        self.supervisorCgroup = supervisorCgroup
        self.reactor = reactor
        self.pool = pool
        self.log = log
        self.leaks = leaks
        spawner = SupervisorSpawner(launcher: launcher, reactor: reactor)
    }

    /// Where events go; set once, before the first pod.
    func deliver(to sink: @escaping @Sendable (Lifecycle.SupervisorEvent, PodID) async -> Void) {
        self.sink.withLock { $0 = sink }
    }

    // MARK: Life of a supervisor

    func spawn(_ pod: PodID, birth: LaunchPlan) async throws {
        let directory = try open(paths.podState(pod))
        let exits = try open(paths.exits(pod))
        let cgroup = try open(cgroupMount + supervisorCgroup(pod))
        let birthStage = StagePlace.current?.begin(.birth, "\(birth.steps.count) steps")
        do throws(SpawnError) {
            try await spawner.spawn(
                pod, plan: birth, podDirectory: directory, exitDirectory: exits, cgroup: cgroup)
        } catch {
            birthStage?.end(failed: true)
            if case .birthFailed(let failure) = error {
                throw LaunchFailure(stepIndex: failure.stepIndex, errno: failure.errno, detail: failure.detail)
            }
            throw Fault(.internal, "start the pod's supervisor", cause: "\(error)")
        }
        birthStage?.end()
        state.withLock { $0.started += 1 }
        _ = try await stage(.connection) { try await connect(pod) }
    }

    /// Supervisors with a connection that have not ended.
    var alive: Int {
        state.withLock { Array($0.connections.values) }.count { connection in
            do throws(Errno) { return try !connection.supervisor.hasEnded() } catch { return false }
        }
    }

    /// Supervisors that this daemon started.
    var started: UInt64 { state.withLock { $0.started } }

    /// Connections that ended without having been closed.
    var lost: UInt64 { state.withLock { $0.lost } }

    func reconnect(_ pod: PodID) async throws -> [ProcessState]? {
        let connection: SupervisorConnection
        do {
            connection = try await connect(pod)
        } catch SupervisorError.notListening {
            return nil
        }
        var processes = try await connection.snapshot()
        // A launch of the last daemon that is still under way ends by itself, within its own deadline.
        while processes.contains(where: { $0.state.phase == .launching || $0.state.phase == .held }) {
            for process in processes where process.state.phase == .held {
                try await connection.release(process.state.process, go: false)
            }
            try await Task.sleep(for: .milliseconds(20))
            processes = try await connection.snapshot()
        }
        for process in processes {
            let name = String(decoding: process.state.process, as: UTF8.self)
            if process.state.kind == .exec {
                endOrphan(process, on: connection)
            } else if let handle = process.handle {
                state.withLock { $0.handles[pod, default: [:]][name] = handle }
            }
        }
        return processes.map(\.state).filter { $0.kind != .exec }
    }

    /// Nobody waits for an exec of an earlier daemon any more.
    private func endOrphan(_ process: SupervisedProcess, on connection: SupervisorConnection) {
        let name = process.state.process
        let leaf = process.handle.flatMap { execLeaf(of: process.state.pid, $0) }
        leaks.found(.execWithoutClient, .recovery)
        Task {
            do {
                if let leaf { leaf.kill() } else { _ = try process.handle?.signal(.kill) }
                if process.handle != nil { _ = try await connection.exit(of: name) }
                try await connection.forget(name)
                leaks.mended(.execWithoutClient, .recovery)
            } catch {
                log.warning("an exec of an earlier daemon was not ended", metadata: ["error": "\(error)"])
            }
            await leaf?.end()
        }
    }

    /// The leaf that a running exec is in; nil where that cannot be said.
    private func execLeaf(of pid: Int32, _ handle: ProcessHandle) -> ExecLeaf? {
        do throws(Errno) {
            let text = try OwnedFD.open(Path("/proc/\(pid)/cgroup"), .readOnly).readToEnd(max: 1 << 16)
            // It lived when the file was read, so that the number was its own.
            if try handle.hasEnded() { return nil }
            let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
            guard let path = lines.first(where: { $0.hasPrefix("0::/") })?.dropFirst(3) else { return nil }
            guard let slash = path.lastIndex(of: "/"), path[slash...].hasPrefix("/exec-") else { return nil }
            return try leaves.adopt(cgroupMount + path)
        } catch {
            return nil
        }
    }

    /// Connects, and has events delivered in their order.
    private func connect(_ pod: PodID) async throws -> SupervisorConnection {
        guard let directory = try OwnedFD.directory(ifPresent: paths.podState(pod)) else {
            throw SupervisorError.notListening(.noEntry)
        }
        let (events, continuation) = AsyncStream.makeStream(of: Lifecycle.SupervisorEvent.self)
        let connection = try await SupervisorConnection.connect(to: pod, in: directory, reactor: reactor) { event in
            switch event {
            case .exited(let record):
                if record.kind == .container, let id = ContainerID(String(decoding: record.process, as: UTF8.self)) {
                    self.leaves.forget(id)
                }
                if record.kind != .exec { continuation.yield(.exited(record)) }
            case .held: break
            case .lost:
                self.state.withLock { if $0.connections[pod] != nil { $0.lost += 1 } }
                self.leaves.forget(pod)
                continuation.yield(.lost)
                continuation.finish()
            }
        }
        state.withLock { $0.connections[pod] = connection }
        let sink = sink.withLock { $0 }
        Task {
            for await event in events { await sink?(event, pod) }
        }
        return connection
    }

    func end(_ pod: PodID) async throws {
        leaves.forget(pod)
        let known = state.withLock { state in
            state.handles[pod] = nil
            return state.connections.removeValue(forKey: pod)
        }
        let connection: SupervisorConnection
        if let known {
            connection = known
        } else {
            do {
                connection = try await connect(pod)
                _ = state.withLock { $0.connections.removeValue(forKey: pod) }
            } catch {
                // Nobody listens: what there may be of a supervisor is in its cgroup, which is killed and removed next.
                return
            }
        }
        do {
            try await shutDown(connection)
        } catch {
            log.notice(
                "a supervisor did not end by itself and is killed", metadata: ["pod": "\(pod)", "error": "\(error)"])
            _ = try connection.supervisor.signal(.kill)
            _ = try await connection.supervisor.waitForEnd(on: reactor, within: .seconds(10))
            connection.close()
        }
    }

    /// A killed process may not be reaped yet: then the supervisor refuses for a moment.
    private func shutDown(_ connection: SupervisorConnection) async throws {
        for _ in 0..<200 {
            do throws(SupervisorError) {
                return try await connection.shutdown()
            } catch .refused(_, let errno, _) where errno == .busy {
            } catch {
                throw error
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw SupervisorError.deadlineExceeded(operation: "shut down")
    }

    /// The process of a pod's supervisor; nil where there is no connection to one.
    func process(of pod: PodID) -> (pid: Int32, handle: ProcessHandle)? {
        state.withLock { $0.connections[pod] }.map { ($0.supervisorPID, $0.supervisor) }
    }

    // MARK: Processes

    func launch(_ launch: ProcessLaunch) async throws -> StartedProcess {
        let connection = try connection(to: launch.pod)
        var log: SharedDescriptor?
        if let file = launch.log { log = try await openLog(file) }
        let cgroup = try open(cgroupMount + launch.cgroup)
        let slots = try Self.slots(log)
        do throws(SupervisorError) {
            let launched = try await connection.launch(
                launch.plan, process: Array(launch.process.utf8), cgroup: cgroup, slots: slots)
            state.withLock { $0.handles[launch.pod, default: [:]][launch.process] = launched.handle }
            return StartedProcess(pid: launched.pid, startedAt: launched.startedAtNanoseconds)
        } catch {
            throw Self.failure(error, "launch")
        }
    }

    /// A plan's descriptors: the log file, where there is one.
    private static func slots(_ log: SharedDescriptor?) throws(Fault) -> DescriptorTable {
        var slots = DescriptorTable()
        guard let log else { return slots }
        do throws(Errno) {
            slots.append(try log.fd.duplicate())
        } catch {
            throw Fault(.internal, "duplicate a log file", cause: "\(error)")
        }
        return slots
    }

    func reopenLog(_ pod: PodID, container: ContainerID, log: LogFile) async throws {
        let connection = try connection(to: pod)
        let file = try await openLog(log)
        try await connection.reopenLog(of: Array(container.text.utf8), to: file.fd)
    }

    func signal(_ pod: PodID, process: String, signal: Int32) async throws -> Bool {
        guard let handle = state.withLock({ $0.handles[pod]?[process] }) else { return false }
        return try Adapters.step("send signal to", process) { () throws(Errno) in
            try handle.signal(Signal(rawValue: signal))
        }
    }

    func forget(_ pod: PodID, process: String) async {
        let connection = state.withLock { state in
            state.handles[pod]?[process] = nil
            return state.connections[pod]
        }
        do {
            try await connection?.forget(Array(process.utf8))
        } catch {
            log.debug("a process is not forgotten", metadata: ["pod": "\(pod)", "error": "\(error)"])
        }
    }

    // MARK: Descriptors

    func connection(to pod: PodID) throws(Fault) -> SupervisorConnection {
        guard let connection = state.withLock({ $0.connections[pod] }) else {
            throw Fault.precondition("the pod sandbox \"\(pod.short)\" has no supervisor")
        }
        return connection
    }

    func open(_ path: String) throws(Fault) -> OwnedFD {
        try Adapters.step("open", path) { () throws(Errno) in try OwnedFD.open(Path(path), [.readOnly, .directory]) }
    }

    /// Opens a log file below its directory, which is made where it is missing; no link leads out of it (attack A2.14).
    private func openLog(_ log: LogFile) async throws -> SharedDescriptor {
        try await pool.run {
            do throws(Errno) {
                return SharedDescriptor(try OwnedFD.openLog(log))
            } catch {
                throw Fault(.internal, "open log file \"\(log.directory)/\(log.path)\"", cause: "\(error)")
            }
        }
    }

    static func failure(_ error: SupervisorError, _ operation: String) -> any Error {
        if case .stepFailed(let index, let errno, let detail) = error {
            return LaunchFailure(stepIndex: index, errno: errno.number, detail: detail)
        }
        let code: Fault.Code
        if case .deadlineExceeded = error { code = .deadlineExceeded } else { code = .internal }
        return Fault(code, operation, cause: "\(error)")
    }
}

extension OwnedFD {
    /// A log file below its directory, both made where they are missing. The directory is the kubelet's word; of the path below
    /// it no link is followed.
    fileprivate static func openLog(_ log: LogFile) throws(Errno) -> OwnedFD {
        let top = try makeDirectories(log.directory, mode: 0o755)
        let parts = log.path.split(separator: "/").map(String.init)
        guard !parts.isEmpty else { throw .invalidArgument }
        for end in 1..<parts.count {
            let parent = Path(parts.prefix(end).joined(separator: "/"))
            do throws(Errno) { try top.makeDirectory(parent, mode: 0o755) } catch Errno.alreadyExists {}
            try top.open(parent, [.path, .directory], resolve: [.beneath, .noSymlinks]).close()
        }
        return try top.open(
            Path(log.path), [.writeOnly, .create, .append, .nonBlocking], mode: 0o640, resolve: [.beneath, .noSymlinks])
    }
}
