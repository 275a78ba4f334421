import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit

/// A container on the node.
struct Container: Sendable {
    let pod: Pod
    let id: String
    let logPath: String

    var node: Node { pod.node }

    func start() async throws { try await node.call(CRIMethods.startContainer, .with { $0.containerID = id }) }

    func stop(timeout: Int64 = 0) async throws {
        try await node.call(
            CRIMethods.stopContainer,
            .with {
                $0.containerID = id
                $0.timeout = timeout
            })
    }

    func remove() async throws { try await node.call(CRIMethods.removeContainer, .with { $0.containerID = id }) }

    func status() async throws -> Runtime_V1_ContainerStatus {
        try await node.call(CRIMethods.containerStatus, .with { $0.containerID = id }).status
    }

    /// Number of its first process, as the node counts.
    func process() async throws -> Int32 {
        let response = try await node.call(
            CRIMethods.containerStatus,
            .with {
                $0.containerID = id
                $0.verbose = true
            })
        guard let pid = response.info["pid"].flatMap({ Int32($0) }) else {
            throw TestFailure("no pid in \(response.info)")
        }
        return pid
    }

    /// Waits until the main process has ended.
    func ended(within limit: Duration = .seconds(120)) async throws -> Runtime_V1_ContainerStatus {
        var last = try await status()
        try await eventually("the container ends", within: limit) {
            last = try await self.status()
            return last.state == .containerExited
        }
        return last
    }

    // MARK: Exec

    func execResponse(_ command: [String], timeout: Int64 = 30) async throws -> Runtime_V1_ExecSyncResponse {
        try await node.call(
            CRIMethods.execSync,
            .with {
                $0.containerID = id
                $0.cmd = command
                $0.timeout = timeout
            })
    }

    /// Runs a command that has to succeed; returns what it wrote, without the last line's end.
    @discardableResult
    func exec(_ command: String...) async throws -> String {
        let response = try await execResponse(command)
        let (out, err) = (
            String(decoding: response.stdout, as: UTF8.self), String(decoding: response.stderr, as: UTF8.self)
        )
        guard response.exitCode == 0 else {
            throw TestFailure("\(command): status \(response.exitCode): \(out) \(err)")
        }
        return out.hasSuffix("\n") ? String(out.dropLast()) : out
    }

    /// Runs a script that has to succeed.
    @discardableResult
    func sh(_ script: String) async throws -> String { try await exec("sh", "-c", script) }

    /// Runs a script that has to fail; returns what it said on both streams.
    func shFails(_ script: String) async throws -> String {
        let response = try await execResponse(["sh", "-c", script])
        let said = String(decoding: response.stdout + response.stderr, as: UTF8.self)
        guard response.exitCode != 0 else { throw TestFailure("\"\(script)\" succeeded: \(said)") }
        return said
    }

    // MARK: Log

    /// The records written so far.
    func log() throws -> [LogRecord] { try LogRecord.read(logPath) }

    /// How many records were written so far, for logs that are too long to be held.
    func countLogged() throws -> Int {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: logPath))
        var count = 0
        while let part = try file.read(upToCount: 1 << 20), !part.isEmpty { count += part.count { $0 == 0x0a } }
        return count
    }

    /// Waits for a line of output.
    func logged(_ text: String) async throws {
        try await eventually("\"\(text)\" is in the log") {
            guard FileManager.default.fileExists(atPath: logPath) else { return false }
            return try log().contains { $0.text == text }
        }
    }
}

extension Pod {
    /// A command that does nothing until it is ended, and ends at once when asked.
    static let idle = ["sh", "-c", "trap 'exit 0' TERM; echo up; while :; do usleep 50000; done"]

    /// A busybox container's configuration with a name of its own.
    func containerConfig(
        _ command: [String] = idle, image: String = Node.busybox, _ change: (inout ContainerConfig) -> Void = { _ in }
    ) -> ContainerConfig {
        let name = node.unique("c")
        var container = ContainerConfig.with {
            $0.metadata.name = name
            $0.image.image = image
            $0.command = command
            $0.logPath = "\(name)/0.log"
            $0.labels = ["container": name]
        }
        // As a kubelet has it by default.
        container.linux.securityContext.namespaceOptions.pid = .container
        container.linux.securityContext.maskedPaths = ["/proc/kcore", "/proc/keys", "/proc/acpi", "/sys/firmware"]
        container.linux.securityContext.readonlyPaths = [
            "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
        ]
        change(&container)
        return container
    }

    func create(_ container: ContainerConfig) async throws -> Container {
        let response = try await node.call(
            CRIMethods.createContainer,
            .with {
                $0.podSandboxID = id
                $0.config = container
                $0.sandboxConfig = config
            })
        return Container(pod: self, id: response.containerID, logPath: config.logDirectory + "/" + container.logPath)
    }

    /// Creates and starts a container.
    func start(
        _ command: [String] = idle, image: String = Node.busybox, _ change: (inout ContainerConfig) -> Void = { _ in }
    ) async throws -> Container {
        let container = try await create(containerConfig(command, image: image, change))
        try await container.start()
        return container
    }

    /// Runs a command to its end and returns the container.
    func run(
        _ command: String..., image: String = Node.busybox, change: (inout ContainerConfig) -> Void = { _ in }
    ) async throws -> Container {
        let container = try await start(command, image: image, change)
        _ = try await container.ended()
        return container
    }

    /// How creating a container fails.
    func refusalOfCreate(_ container: ContainerConfig) async throws -> GRPCStatus {
        try await node.refusal(
            of: CRIMethods.createContainer,
            .with {
                $0.podSandboxID = id
                $0.config = container
                $0.sandboxConfig = config
            })
    }
}
