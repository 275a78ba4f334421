import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct Limits {}
}

extension WholeDaemon.Limits {
    /// Whether this kernel has the controllers of cgroup v2 to give.
    static var hasControllers: Bool {
        let mount = (try? readFile("/proc/self/mountinfo")).map { String(decoding: $0, as: UTF8.self) }?
            .split(separator: "\n").first { $0.contains(" - cgroup2 ") }?.split(separator: " ")[4]
        let text =
            mount.flatMap { try? readFile("\($0)/cgroup.controllers") }.map { String(decoding: $0, as: UTF8.self) }
            ?? ""
        return Set(text.split(whereSeparator: \.isWhitespace)).isSuperset(of: ["memory", "pids", "cpu"])
    }

    @Test(.enabled(if: hasControllers)) func `too much memory ends a container with its own reason`() async throws {
        try await Node.current.withPod("out-of-memory") { pod in
            let container = try await pod.start(["sh", "-c", "dd if=/dev/zero of=/dev/null bs=64M count=1"]) {
                $0.linux.resources.memoryLimitInBytes = 16 << 20
                $0.linux.resources.memorySwapLimitInBytes = 16 << 20
            }
            let status = try await container.ended()
            #expect(status.reason == "OOMKilled")
            #expect(status.exitCode == 137)
        }
    }

    @Test(.enabled(if: hasControllers)) func `limits are what the container's cgroup says, and an update changes them`()
        async throws
    {
        let node = try Node.current
        try await node.withPod("limits") { pod in
            let container = try await pod.start {
                $0.linux.resources = .with {
                    $0.memoryLimitInBytes = 64 << 20
                    $0.cpuQuota = 50_000
                    $0.cpuPeriod = 100_000
                    $0.cpuShares = 1024
                    $0.unified = ["pids.max": "20"]
                }
            }
            func read(_ file: String) async throws -> String {
                try await container.exec("cat", "/sys/fs/cgroup/" + file)
            }
            #expect(try await read("memory.max") == "\(64 << 20)")
            #expect(try await read("cpu.max") == "50000 100000")
            #expect(try await read("pids.max") == "20")
            try await node.call(
                CRIMethods.updateContainerResources,
                .with {
                    $0.containerID = container.id
                    $0.linux.memoryLimitInBytes = 96 << 20
                    $0.linux.cpuQuota = 20_000
                })
            #expect(try await read("memory.max") == "\(96 << 20)")
            #expect(try await read("cpu.max") == "20000 100000")
            let shown = try await container.status().resources.linux
            #expect(shown.memoryLimitInBytes == 96 << 20 && shown.cpuQuota == 20_000 && shown.cpuPeriod == 100_000)
            // The last one: what it leaves running uses up the limit.
            #expect(try await container.shFails("for i in $(seq 40); do sleep 100 & done; wait").contains("fork"))
        }
    }

    @Test(.disabled(if: hasControllers))
    func `a limit without its controller is refused unless the configuration tolerates it`() async throws {
        let node = try Node.current
        let text = try node.text(node.configuration)
        #expect(text.contains("tolerate_missing_controllers = true"))
        let limited: (inout ContainerConfig) -> Void = { $0.linux.resources.memoryLimitInBytes = 64 << 20 }
        try await node.withPod("tolerated") { pod in
            let container = try await pod.start(Pod.idle, limited)
            #expect(try await container.status().resources.linux.memoryLimitInBytes == 64 << 20)
        }
        try await node.reconfigure(text.replacingOccurrences(of: "controllers = true", with: "controllers = false")) {
            try await node.withPod("refused") { pod in
                let container = try await pod.create(pod.containerConfig(Pod.idle, limited))
                let refused = try await node.refusal(
                    of: CRIMethods.startContainer, .with { $0.containerID = container.id })
                #expect(refused.code != .ok && refused.message.contains("memory"), "\(refused)")
                let status = try await container.status()
                #expect(status.state == .containerExited && status.exitCode == 128 && status.reason == "StartError")
                // Without a limit there is nothing to refuse.
                _ = try await pod.start()
            }
        }
    }
}

extension Node {
    /// Restarts the daemon with another configuration for a body, and with its own again afterwards.
    func reconfigure(
        _ text: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
    ) async throws {
        let before = try self.text(configuration)
        try write(text, to: configuration)
        try await restartDaemon()
        do { try await body() } catch {
            try write(before, to: configuration)
            try await restartDaemon()
            throw error
        }
        try write(before, to: configuration)
        try await restartDaemon()
    }

    /// Writes a file of the node.
    func write(_ text: String, to inside: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(inside)))
    }
}
