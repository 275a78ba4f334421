import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import Synchronization

typealias PodConfig = Runtime_V1_PodSandboxConfig
typealias ContainerConfig = Runtime_V1_ContainerConfig

/// A pod that a case made.
struct Pod: Sendable {
    let id: String
    let config: PodConfig
}

/// A container that a case made.
struct Container: Sendable {
    let id: String
    let pod: Pod
    let config: ContainerConfig
    var logPath: String { pod.config.logDirectory + "/" + config.logPath }
}

/// One run of a case: what it may do, and what it made.
final class Trial: Sendable {
    let subject: Subject
    /// A word that only this run has.
    let mark = String(UUID().uuidString.lowercased().prefix(8))
    let directory: String
    private let pods = Mutex<[String]>([])
    private let serial = Mutex(0)

    init(_ subject: Subject) throws {
        self.subject = subject
        directory = subject.settings.directory + "/conformance-" + mark
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    /// Removes all that the case made; returns what would not go.
    func cleanUp() async -> [String] {
        var left: [String] = []
        // A pod whose creation failed half way is found by its uid.
        let mine = await answer(
            of:
                CRIMethods.listPodSandbox, .with { $0.filter.labelSelector = ["io.kubernetes.pod.uid": mark] })
        let ids = Set(pods.withLock { $0 } + (mine?.items.map(\.id) ?? []))
        for id in ids {
            do {
                _ = try await subject.call(CRIMethods.stopPodSandbox, .with { $0.podSandboxID = id })
                _ = try await subject.call(CRIMethods.removePodSandbox, .with { $0.podSandboxID = id })
            } catch  where error.code == .notFound {
                // Gone already; that such a call has to succeed is a case of its own.
                continue
            } catch {
                left.append("pod \(id): \(error)")
            }
        }
        for number in 0...serial.withLock({ $0 }) { Host.removeCgroup("/conformance_\(mark)/pod-\(mark)-\(number)") }
        Host.removeCgroup("/conformance_\(mark)")
        do { try FileManager.default.removeItem(atPath: directory) } catch { left.append("\(directory): \(error)") }
        return left
    }

    /// A name that nothing else has.
    func unique(_ name: String) -> String {
        let number = serial.withLock {
            $0 += 1
            return $0
        }
        return "\(name)-\(mark)-\(number)"
    }

    // MARK: Calls

    @discardableResult
    func call<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request, timeout: Duration = .seconds(60)
    ) async throws -> Response {
        do {
            return try await subject.call(method, request, timeout: timeout)
        } catch {
            throw Self.verdict(error, of: method.name)
        }
    }

    /// How a call ends, which may be well.
    func status<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        of method: CRIMethod<Request, Response>, _ request: Request, timeout: Duration = .seconds(60)
    ) async throws -> GRPCStatus {
        do {
            _ = try await subject.call(method, request, timeout: timeout)
            return .ok
        } catch {
            if error.code == .unimplemented, Self.optional.contains(method.name) {
                throw Self.verdict(error, of: method.name)
            }
            return error
        }
    }

    /// The answer of a call that may fail just as well.
    func answer<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        of method: CRIMethod<Request, Response>, _ request: Request
    ) async -> Response? {
        do { return try await subject.call(method, request) } catch { return nil }
    }

    /// A call that has to fail with this code.
    func refused<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request, as code: GRPCStatus.Code
    ) async throws {
        let status = try await status(of: method, request)
        try equal(status.code, code, "\(method.name) answered (\(status.message))")
    }

    /// A call that has to fail in whatever way.
    @discardableResult
    func refused<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request, because reason: String
    ) async throws -> GRPCStatus {
        let status = try await status(of: method, request)
        try expect(status.code != .ok, "\(method.name) succeeded although \(reason)")
        return status
    }

    /// All messages of a stream that ends by itself.
    func collect<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request
    ) async throws -> [Response] {
        do {
            var all: [Response] = []
            for try await message in try subject.stream(method, request) { all.append(message) }
            return all
        } catch {
            throw Self.verdict(error, of: method.name)
        }
    }

    /// Calls that a runtime may lack: their clients fall back to something else.
    static let optional: Set<String> = [
        "StreamPodSandboxes", "StreamContainers", "StreamContainerStats", "StreamPodSandboxStats", "StreamImages",
        "StreamPodSandboxMetrics", "ContainerStats", "ListContainerStats", "PodSandboxStats", "ListPodSandboxStats",
        "ListMetricDescriptors", "ListPodSandboxMetrics", "GetContainerEvents", "CheckpointContainer", "CheckpointPod",
        "RestorePod", "RuntimeConfig", "UpdatePodSandboxResources", "Exec", "Attach", "PortForward",
    ]

    private static func verdict(_ status: GRPCStatus, of method: String) -> any Error {
        guard status.code == .unimplemented, optional.contains(method) else {
            return fail("\(method): \(status.code): \(status.message)")
        }
        return skip("not in this version: \(method)")
    }

    // MARK: Pods

    func podConfig(_ change: (inout PodConfig) -> Void = { _ in }) throws -> PodConfig {
        let name = unique("pod")
        var config = PodConfig.with {
            $0.metadata.name = name
            $0.metadata.namespace = "conformance"
            $0.metadata.uid = unique("uid")
            $0.hostname = name
            $0.logDirectory = directory + "/" + name
            $0.labels = ["io.kubernetes.pod.uid": mark, "io.kubernetes.pod.name": name]
            $0.linux.securityContext.namespaceOptions.pid = .container
            // As a kubelet does: runtimes take a pod's statistics from there.
            $0.linux.cgroupParent = subject.usesSystemd ? "conformance_\(mark).slice" : "/conformance_\(mark)/\(name)"
        }
        change(&config)
        return config
    }

    func pod(_ change: (inout PodConfig) -> Void = { _ in }) async throws -> Pod {
        try await pod(try podConfig(change))
    }

    func pod(_ config: PodConfig) async throws -> Pod {
        if !config.logDirectory.isEmpty {
            try FileManager.default.createDirectory(
                atPath: config.logDirectory, withIntermediateDirectories: true)
        }
        let response = try await call(
            CRIMethods.runPodSandbox,
            .with {
                $0.config = config
                $0.runtimeHandler = subject.settings.handler
            }, timeout: .seconds(120))
        pods.withLock { $0.append(response.podSandboxID) }
        return Pod(id: response.podSandboxID, config: config)
    }

    func podStatus(_ pod: Pod) async throws -> Runtime_V1_PodSandboxStatus {
        try await call(CRIMethods.podSandboxStatus, .with { $0.podSandboxID = pod.id }).status
    }

    func stop(_ pod: Pod) async throws {
        try await call(CRIMethods.stopPodSandbox, .with { $0.podSandboxID = pod.id })
    }

    func remove(_ pod: Pod) async throws {
        try await call(CRIMethods.removePodSandbox, .with { $0.podSandboxID = pod.id })
    }

    // MARK: Containers

    /// A command that does nothing until it is ended, and ends at once when asked.
    static let idle = ["sh", "-c", "trap 'exit 0' TERM; while :; do usleep 50000; done"]

    func containerConfig(
        _ command: [String] = idle, _ change: (inout ContainerConfig) -> Void = { _ in }
    ) -> ContainerConfig {
        let name = unique("c")
        var config = ContainerConfig.with {
            $0.metadata.name = name
            $0.image.image = subject.settings.image
            $0.command = command
            $0.logPath = "\(name).log"
            $0.labels = ["io.kubernetes.pod.uid": mark, "io.kubernetes.container.name": name]
            $0.linux.securityContext.namespaceOptions.pid = .container
        }
        change(&config)
        return config
    }

    static func request(_ config: ContainerConfig, in pod: Pod) -> Runtime_V1_CreateContainerRequest {
        .with {
            $0.podSandboxID = pod.id
            $0.config = config
            $0.sandboxConfig = pod.config
        }
    }

    func create(_ config: ContainerConfig, in pod: Pod) async throws -> Container {
        let response = try await call(CRIMethods.createContainer, Self.request(config, in: pod))
        return Container(id: response.containerID, pod: pod, config: config)
    }

    func start(_ container: Container) async throws {
        try await call(CRIMethods.startContainer, .with { $0.containerID = container.id })
    }

    func start(
        _ command: [String] = idle, in pod: Pod, _ change: (inout ContainerConfig) -> Void = { _ in }
    ) async throws -> Container {
        let container = try await create(containerConfig(command, change), in: pod)
        try await start(container)
        return container
    }

    /// A pod with one running container.
    func running(
        _ command: [String] = idle, _ change: (inout ContainerConfig) -> Void = { _ in }
    ) async throws -> Container {
        try await start(command, in: pod(), change)
    }

    /// Runs a script in a container of its own to its end.
    func run(
        _ script: String, in pod: Pod? = nil, _ change: (inout ContainerConfig) -> Void = { _ in }
    ) async throws -> Container {
        let home = if let pod { pod } else { try await self.pod() }
        let container = try await start(["sh", "-c", script], in: home, change)
        _ = try await ended(container)
        return container
    }

    /// What a script in a container of its own writes to standard output.
    func output(
        of script: String, in pod: Pod? = nil, _ change: (inout ContainerConfig) -> Void = { _ in }
    ) async throws -> String {
        let container = try await run(script, in: pod, change)
        return try await log(container, until: { _ in true }).filter { $0.stream == "stdout" }.map(\.text)
            .joined(separator: "\n")
    }

    func stop(_ container: Container, timeout: Int64 = 0) async throws {
        try await call(
            CRIMethods.stopContainer,
            .with {
                $0.containerID = container.id
                $0.timeout = timeout
            })
    }

    func remove(_ container: Container) async throws {
        try await call(CRIMethods.removeContainer, .with { $0.containerID = container.id })
    }

    func status(_ container: Container) async throws -> Runtime_V1_ContainerStatus {
        try await call(CRIMethods.containerStatus, .with { $0.containerID = container.id }).status
    }

    /// Waits until the main process has ended.
    func ended(_ container: Container) async throws -> Runtime_V1_ContainerStatus {
        var last = try await status(container)
        try await eventually("the container ends") {
            last = try await self.status(container)
            return last.state == .containerExited
        }
        return last
    }

    func exec(_ command: [String], in container: Container, timeout: Int64 = 30) async throws
        -> Runtime_V1_ExecSyncResponse
    {
        try await call(
            CRIMethods.execSync,
            .with {
                $0.containerID = container.id
                $0.cmd = command
                $0.timeout = timeout
            })
    }

    /// What a script in a running container writes; it has to succeed.
    func sh(_ script: String, in container: Container) async throws -> String {
        let response = try await exec(["sh", "-c", script], in: container)
        let said = String(decoding: response.stdout, as: UTF8.self)
        try expect(
            response.exitCode == 0,
            "\"\(script)\": status \(response.exitCode): \(said)\(String(decoding: response.stderr, as: UTF8.self))")
        return said.hasSuffix("\n") ? String(said.dropLast()) : said
    }

    // MARK: Waiting

    /// Waits until something holds; the limit of the case bounds it.
    func eventually(_ what: String, _ holds: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + subject.settings.limit
        while try await !holds() {
            guard ContinuousClock.now < deadline else { throw fail("never: \(what)") }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// The records of a log file; a line that is none fails.
    func log(_ container: Container, until isEnough: ([LogRecord]) -> Bool) async throws -> [LogRecord] {
        var records: [LogRecord] = []
        try await eventually("the log has what was written") {
            records = try LogRecord.read(container.logPath)
            return isEnough(records)
        }
        return records
    }
}
