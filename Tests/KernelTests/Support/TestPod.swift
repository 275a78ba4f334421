import Foundation
import Glibc
import LaunchProtocol
import Linux
import Model
import SupervisorClient
import Synchronization
import TestKit

/// A pod of a test: directories, cgroups, a supervisor and the connection to it.
final class TestPod: @unchecked Sendable {
    let id = PodID.random()
    let files: TemporaryRoot
    let cgroup: String
    let reactor: Reactor
    let spawner: SupervisorSpawner
    let events = EventLog()
    private(set) var connection: SupervisorConnection?
    private var names = 0

    init(reactor: Reactor) throws {
        guard let mount = TestHost.cgroupMount, let binary = LaunchBinary.path else {
            throw TestFailure("no test host")
        }
        self.reactor = reactor
        spawner = SupervisorSpawner(launcher: try SealedLauncher(path: Path(binary)), reactor: reactor)
        files = try TemporaryRoot(TestHost.mark)
        cgroup = "\(mount)/\(TestHost.mark)-\(id.short)"
        for directory in ["pod", "exits", "logs", "anchor", "lower", "containers"] { try files.directory(directory) }
        try files.write("", to: "netns")
        try BusyboxRoot.make(at: files.path("lower"))
        for directory in [cgroup, "\(cgroup)/supervisor"] { try makeCgroup(directory) }
    }

    /// A connection that has to be there.
    var client: SupervisorConnection {
        get throws {
            guard let connection else { throw TestFailure("not connected") }
            return connection
        }
    }

    func directory(_ relative: String) throws -> OwnedFD {
        try OwnedFD.open(Path(files.path(relative)), [.readOnly, .directory])
    }

    // MARK: Birth

    /// Namespaces of its own, a name, a loopback device.
    func birthPlan(_ more: [Step] = []) -> LaunchPlan {
        LaunchPlan(
            kind: .birth, deadlineMilliseconds: 10_000,
            steps: [
                .unshareNamespaces(flags: Namespaces.network | Namespaces.ipc | Namespaces.uts),
                .pinNamespace(name: bytes("net"), path: bytes(files.path("netns"))), .setHostname(bytes("test-pod")),
                .bringLoopbackUp,
            ] + more)
    }

    func spawn(_ plan: LaunchPlan? = nil, deadline: Duration = .seconds(30)) async throws {
        try await spawner.spawn(
            id, plan: plan ?? birthPlan(), podDirectory: try directory("pod"), exitDirectory: try directory("exits"),
            cgroup: try OwnedFD.open(Path("\(cgroup)/supervisor"), [.readOnly, .directory]), deadline: deadline)
    }

    @discardableResult
    func connect() async throws -> SupervisorConnection {
        let made = try await SupervisorConnection.connect(
            to: id, in: try directory("pod"), reactor: reactor, events: events.note)
        connection = made
        return made
    }

    // MARK: Containers

    /// The plan of a container with a writable layer of its own.
    func container(_ name: String, _ arguments: [String] = ["/bin/true"]) throws -> ContainerPlan {
        for part in ["upper", "work"] { try files.directory("containers/\(name)/\(part)") }
        var plan = ContainerPlan(
            overlay: .init(
                directory: files.path(""), lowers: ["lower"], upper: "containers/\(name)/upper",
                work: "containers/\(name)/work"),
            anchor: files.path("anchor"))
        plan.arguments = arguments
        return plan
    }

    func makeCgroup(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func cgroupDescriptor(_ name: String) throws -> OwnedFD {
        let path = "\(cgroup)/\(name)"
        try makeCgroup(path)
        return try OwnedFD.open(Path(path), [.readOnly, .directory])
    }

    func openLog(_ name: String) throws -> OwnedFD {
        try OwnedFD.open(Path(files.path("logs/\(name)")), [.writeOnly, .create, .append], mode: 0o640)
    }

    func records(_ name: String) throws -> [LogRecord] { try LogRecord.parse(try files.read("logs/\(name)")) }

    /// Launches a container whose log is `logs/<name>`.
    @discardableResult
    func start(_ name: String, _ plan: ContainerPlan) async throws -> LaunchedProcess {
        var slots = DescriptorTable()
        slots.append(try openLog(name))
        return try await client.launch(
            plan.plan(), process: bytes(name), cgroup: try cgroupDescriptor(name), slots: slots)
    }

    struct Outcome {
        var record: ExitRecord
        var log: [LogRecord]
        var stdout: String { LogRecord.joined(log) }
        var stderr: String { LogRecord.joined(log, stream: "stderr") }
    }

    /// Runs a container to its end.
    func run(_ name: String? = nil, _ plan: (inout ContainerPlan) throws -> Void) async throws -> Outcome {
        names += 1
        let name = name ?? "c\(names)"
        var made = try container(name)
        try plan(&made)
        try await start(name, made)
        return try await finish(name)
    }

    /// Runs a shell script in a container to its end.
    func shell(_ script: String, _ change: (inout ContainerPlan) throws -> Void = { _ in }) async throws -> Outcome {
        try await run { plan in
            plan.arguments = ["/bin/sh", "-c", script]
            try change(&plan)
        }
    }

    /// Waits for the end of a container.
    func finish(_ name: String) async throws -> Outcome {
        guard let record = try await client.exit(of: bytes(name), within: .seconds(60)) else {
            throw TestFailure("\(name) does not end")
        }
        return Outcome(record: record, log: try records(name))
    }

    /// Runs a script in a running container, with a cgroup of its own below the container's.
    func exec(
        in container: String, _ script: String, timeout: Duration? = .seconds(60), outputBytesMax: Int = 1 << 20,
        drain: Duration = .seconds(1), _ change: (inout ExecPlan) -> Void = { _ in }
    ) async throws -> ExecResult {
        names += 1
        let name = "exec-\(names)"
        var plan = ExecPlan(container: container, arguments: ["/bin/sh", "-c", script])
        change(&plan)
        let cgroup = try cgroupDescriptor("\(container)/\(name)")
        return try await client.execute(
            plan.plan(), process: bytes(name), container: bytes(container), cgroup: cgroup, timeout: timeout,
            outputBytesMax: outputBytesMax, drain: drain)
    }

    /// What a script in a running container writes to its stdout; it has to succeed.
    func output(in container: String, _ script: String, _ change: (inout ExecPlan) -> Void = { _ in }) async throws
        -> String
    {
        guard case .exited(let record, let stdout, let stderr) = try await exec(in: container, script, change) else {
            throw TestFailure("\(script): timed out")
        }
        guard record.exitCode == 0 else { throw TestFailure("\(script): \(record.exitCode) \(text(stderr.bytes))") }
        return text(stdout.bytes)
    }

    // MARK: End

    /// Kills what is left, and takes back all that the pod has made.
    func remove() async throws {
        connection?.close()
        connection = nil
        try await removeCgroup(cgroup)
        umount2(files.path("netns"), Int32(MNT_DETACH))
    }

    private func removeCgroup(_ path: String) async throws {
        if access(path, F_OK) != 0 { return }
        let kill = try OwnedFD.open(Path(path), [.readOnly, .directory])
        try kill.killCgroup()
        _ = try await eventually("\(path) empty") { () -> Bool? in
            let below = try FileManager.default.subpathsOfDirectory(atPath: path)
            for directory in below.sorted(by: { $0.count > $1.count }) { rmdir("\(path)/\(directory)") }
            return rmdir(path) == 0 ? true : nil
        }
    }
}

/// Events in the order they came.
final class EventLog: Sendable {
    private let names = Mutex<[String]>([])

    func note(_ event: SupervisorEvent) {
        let name =
            switch event {
            case .exited(let record): "exited \(text(record.process)) \(record.exitCode)"
            case .held(let process, _, let point): "held \(text(process)) \(point)"
            case .lost: "lost"
            }
        names.withLock { $0.append(name) }
    }

    var all: [String] { names.withLock { $0 } }
    func contains(_ name: String) -> Bool { all.contains(name) }
}

/// Runs a test in a pod that is up and connected, and demands that nothing stays behind.
func withPod(birth: [Step] = [], _ body: (TestPod) async throws -> Void) async throws {
    try await withNewPod { pod in
        try await pod.spawn(pod.birthPlan(birth))
        try await pod.connect()
        try await body(pod)
    }
}

/// Runs a test with a pod whose supervisor is not there yet.
func withNewPod(_ body: (TestPod) async throws -> Void) async throws {
    guard let mount = TestHost.cgroupMount else { throw TestFailure("no cgroup2") }
    try await withLeakCheck(mark: TestHost.mark, cgroup: mount) {
        let reactor = try await Reactor.start()
        let pod = try TestPod(reactor: reactor)
        do { try await body(pod) } catch {
            print("events: \(pod.events.all)")
            try await pod.remove()
            await reactor.shutdown()
            throw error
        }
        try await pod.remove()
        await reactor.shutdown()
    }
}
