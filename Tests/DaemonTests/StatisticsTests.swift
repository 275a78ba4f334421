import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct Statistics {}
}

extension WholeDaemon.Statistics {
    @Test func `a busy container's processor time grows, and a rate is told after a second`() async throws {
        try await Node.current.withPod("busy") { pod in
            let container = try await pod.start(["sh", "-c", "while :; do :; done"])
            let first = try await statistics(container.id)
            #expect(first.attributes.id == container.id)
            #expect(first.cpu.timestamp > 0 && first.memory.timestamp > 0)
            var later = first
            try await eventually("a rate") {
                later = try await statistics(container.id)
                return later.cpu.hasUsageNanoCores && later.cpu.usageNanoCores.value > 0
            }
            #expect(later.cpu.usageCoreNanoSeconds.value > first.cpu.usageCoreNanoSeconds.value)
            #expect(later.cpu.timestamp > first.cpu.timestamp)
            let list: Runtime_V1_ListContainerStatsResponse = try await Node.current.call(
                CRIMethods.listContainerStats, .with { $0.filter.podSandboxID = pod.id })
            #expect(list.stats.map(\.attributes.id) == [container.id])
        }
    }

    @Test func `what a container writes shows in its writable layer, and nothing of what is mounted there`()
        async throws
    {
        try await Node.current.withPod("written") { pod in
            let container = try await pod.start()
            for (file, kibibytes) in [("/file", 1024), ("/dev/shm/other", 4096)] {
                _ = try await container.exec("dd", "if=/dev/zero", "of=\(file)", "bs=1024", "count=\(kibibytes)")
            }
            var stats = Runtime_V1_ContainerStats()
            try await eventually("a measurement of the writable layer") {
                stats = try await statistics(container.id)
                return stats.hasWritableLayer
            }
            #expect(stats.writableLayer.usedBytes.value >= 1 << 20)
            #expect(stats.writableLayer.usedBytes.value < 4 << 20)
            #expect(stats.writableLayer.inodesUsed.value >= 1)
            #expect(stats.writableLayer.fsID.mountpoint.hasSuffix("/containers"))
        }
    }

    @Test func `the first reading of a container has its writable layer, and of many at once all theirs`() async throws
    {
        try await Node.current.withPod("new-layers") { pod in
            var ids: Set<String> = []
            for _ in 0..<8 { ids.insert(try await pod.start().id) }
            let list: Runtime_V1_ListContainerStatsResponse = try await Node.current.call(
                CRIMethods.listContainerStats, .with { $0.filter.podSandboxID = pod.id })
            #expect(Set(list.stats.map(\.attributes.id)) == ids)
            for stats in list.stats {
                #expect(
                    stats.hasWritableLayer && stats.writableLayer.timestamp > 0, "\(stats.attributes.metadata.name)")
            }
        }
    }

    @Test func `a pod's numbers have its interface, whose counters grow, and its running containers`() async throws {
        try await Node.current.withPod("network") { pod in
            let container = try await pod.start()
            let first = try await podStatistics(pod.id)
            #expect(first.attributes.id == pod.id)
            #expect(first.linux.network.defaultInterface.name == "eth0")
            #expect(!first.linux.network.interfaces.contains { $0.name == "lo" })
            #expect(first.linux.containers.map(\.attributes.id) == [container.id])
            #expect(first.linux.cpu.usageCoreNanoSeconds.value > 0)
            // Nobody answers there; what counts is that something was sent.
            let gateway = "$(ip route | sed -n 's/default via \\([0-9.]*\\).*/\\1/p')"
            _ = try await container.exec("sh", "-c", "ping -c 3 -W 1 \(gateway) >/dev/null 2>&1; true")
            let second = try await podStatistics(pod.id)
            let sent = first.linux.network.defaultInterface.txBytes.value
            #expect(second.linux.network.defaultInterface.txBytes.value > sent)
        }
    }

    private func statistics(_ id: String) async throws -> Runtime_V1_ContainerStats {
        let response: Runtime_V1_ContainerStatsResponse = try await Node.current.call(
            CRIMethods.containerStats, .with { $0.containerID = id })
        return response.stats
    }

    private func podStatistics(_ id: String) async throws -> Runtime_V1_PodSandboxStats {
        let response: Runtime_V1_PodSandboxStatsResponse = try await Node.current.call(
            CRIMethods.podSandboxStats, .with { $0.podSandboxID = id })
        return response.stats
    }
}
