import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct Metrics {}
}

extension WholeDaemon.Metrics {
    @Test func `a busy container's processor metric grows, and its times and counts are its own`() async throws {
        try await Node.current.withPod("busy-metrics") { pod in
            let earliest = UInt64(Date().timeIntervalSince1970)
            let container = try await pod.start(["sh", "-c", "while :; do :; done"])
            let first = try await metrics(of: container)
            let latest = UInt64(Date().timeIntervalSince1970)
            let used = try #require(first["container_cpu_usage_seconds_total"])
            try await eventually("two more seconds of processor time") {
                try await metrics(of: container)["container_cpu_usage_seconds_total"] ?? 0 >= used + 2
            }
            let started = try #require(first["container_start_time_seconds"])
            #expect((earliest...latest).contains(started))
            #expect(first["container_last_seen"] ?? 0 >= started)
            #expect(first["container_processes"] == 1 && first["container_threads"] == 1)
            #expect(first["container_spec_cpu_period"] == 100_000 && first["container_spec_cpu_quota"] == nil)
            // Defaults of the configuration.
            #expect(first["container_ulimits_soft"] == 1024)
            #expect(first["container_fs_limit_bytes"] ?? 0 > 0)
        }
    }

    @Test(.enabled(if: Node.isInGuest, "needs all controllers of cgroup v2"))
    func `with all controllers, limits and what hits them are counted`() async throws {
        try await Node.current.withPod("limited-metrics") { pod in
            let container = try await pod.start(["sh", "-c", "echo up; while :; do :; done"]) {
                $0.linux.resources.cpuPeriod = 100_000
                $0.linux.resources.cpuQuota = 5000
                $0.linux.resources.memoryLimitInBytes = 64 << 20
            }
            try await container.logged("up")
            try await eventually("the quota holds the container back") {
                try await metrics(of: container)["container_cpu_cfs_throttled_periods_total"] ?? 0 > 0
            }
            let found = try await metrics(of: container)
            let used = try #require(found["container_memory_usage_bytes"])
            #expect(used > 0 && used <= 64 << 20)
            #expect(found["container_memory_max_usage_bytes"] ?? 0 >= used)
            #expect(found["container_memory_working_set_bytes"] ?? .max <= used)
            for name in ["rss", "cache", "mapped_file", "kernel_usage", "failcnt", "failures_total"] {
                #expect(found["container_memory_" + name] != nil, "\(name)")
            }
            #expect(found["container_oom_events_total"] == 0)
            #expect(found["container_threads"] == 1 && found["container_threads_max"] != nil)
            #expect(found["container_spec_cpu_quota"] == 5000)
            #expect(found["container_spec_memory_limit_bytes"] == 64 << 20)
            #expect(found["container_spec_memory_reservation_limit_bytes"] == 0)
        }
    }

    @Test func `descriptors and sockets of all processes of a container are counted`() async throws {
        try await Node.current.withPod("descriptors") { pod in
            let container = try await pod.start(
                ["sh", "-c", "nc -l -p 7777 >/dev/null & exec 5</etc/passwd 6</etc/passwd; echo up; wait"])
            try await container.logged("up")
            try await eventually("the socket is counted") {
                try await metrics(of: container)["container_sockets"] ?? 0 >= 1
            }
            let found = try await metrics(of: container)
            #expect(found["container_processes"] == 2)
            let host = try pod.node.hostProcess(try await container.process())
            let shell = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(host)/fd").count
            let all = try #require(found["container_file_descriptors"])
            #expect(all >= UInt64(shell) + 3 && all < UInt64(shell) + 20)
        }
    }

    @Test func `a pod's network metrics are the sandbox's own, and grow with what it sends`() async throws {
        try await Node.current.withPod("network-metrics") { pod in
            let container = try await pod.start()
            let first = try await podMetrics(pod)
            #expect(first.allSatisfy { $0.labelValues[2].isEmpty && $0.labelValues[3] == pod.id })
            #expect(Set(first.map { $0.labelValues[5] }) == ["eth0"])
            // Nobody answers there; what counts is that something was sent.
            let gateway = "$(ip route | sed -n 's/default via \\([0-9.]*\\).*/\\1/p')"
            _ = try await container.exec("sh", "-c", "ping -c 3 -W 1 \(gateway) >/dev/null 2>&1; true")
            let second = try await podMetrics(pod)
            for name in ["container_network_transmit_bytes_total", "container_network_transmit_packets_total"] {
                let values = [first, second].map { list in list.first { $0.name == name }?.value.value ?? 0 }
                #expect(values[1] > values[0], "\(name)")
            }
        }
    }

    private func metrics(of container: Container) async throws -> [String: UInt64] {
        let list: Runtime_V1_ListPodSandboxMetricsResponse = try await container.node.call(
            CRIMethods.listPodSandboxMetrics, .init())
        let own = list.podMetrics.flatMap(\.containerMetrics).first { $0.containerID == container.id }
        return Dictionary((own?.metrics ?? []).map { ($0.name, $0.value.value) }) { first, _ in first }
    }

    private func podMetrics(_ pod: Pod) async throws -> [Runtime_V1_Metric] {
        let list: Runtime_V1_ListPodSandboxMetricsResponse = try await pod.node.call(
            CRIMethods.listPodSandboxMetrics, .init())
        return list.podMetrics.first { $0.podSandboxID == pod.id }?.metrics ?? []
    }
}
