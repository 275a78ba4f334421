import CRIProto
import CRIService
import Cgroups
import Foundation
import GRPC
import SwiftProtobuf
import Synchronization
import TestFakes
import Testing

/// Metrics: their names and labels, the values, and what is absent.
@Suite struct MetricsTests {
    /// What monitoring knows by name (critest requires them), with the labels of each metric's own.
    private static let names: [String: [String]] = {
        var names: [String: [String]] = [:]
        let plain =
            "cpu_user_seconds_total cpu_system_seconds_total cpu_cfs_periods_total cpu_cfs_throttled_periods_total "
            + "cpu_cfs_throttled_seconds_total memory_usage_bytes memory_working_set_bytes memory_max_usage_bytes "
            + "memory_rss memory_cache memory_mapped_file memory_kernel_usage memory_swap memory_failcnt "
            + "oom_events_total processes threads threads_max file_descriptors sockets last_seen start_time_seconds "
            + "spec_cpu_period spec_cpu_quota spec_cpu_shares spec_memory_limit_bytes "
            + "spec_memory_reservation_limit_bytes spec_memory_swap_limit_bytes "
            + "memory_total_active_file_bytes memory_total_inactive_file_bytes"
        for name in plain.split(separator: " ") { names["container_\(name)"] = [] }
        for what in ["cpu", "memory", "io"] {
            for how in ["waiting", "stalled"] { names["container_pressure_\(what)_\(how)_seconds_total"] = [] }
        }
        let volume = ["inodes_free", "inodes_total", "limit_bytes", "usage_bytes"]
        let disks = ["reads_total", "writes_total", "reads_bytes_total", "writes_bytes_total"]
        for name in volume + disks { names["container_fs_\(name)"] = ["device"] }
        for way in ["receive", "transmit"] {
            for what in ["bytes", "packets", "packets_dropped", "errors"] {
                names["container_network_\(way)_\(what)_total"] = ["interface"]
            }
        }
        names["container_cpu_usage_seconds_total"] = ["cpu"]
        names["container_memory_failures_total"] = ["failure_type", "scope"]
        names["container_blkio_device_usage_total"] = ["device", "major", "minor", "operation"]
        names["container_ulimits_soft"] = ["ulimit"]
        names["container_hugetlb_usage_bytes"] = ["pagesize"]
        names["container_hugetlb_max_usage_bytes"] = ["pagesize"]
        return names
    }()

    private static let base = ["pod", "namespace", "container", "id", "image"]

    @Test("every metric that monitoring knows is described, with its labels, and in words")
    func descriptors() async throws {
        try await Fixture.run { fixture in
            let described: Runtime_V1_ListMetricDescriptorsResponse = try await fixture.send(
                CRIMethods.listMetricDescriptors)
            #expect(Set(described.descriptors.map(\.name)) == Set(Self.names.keys))
            #expect(described.descriptors.count == Self.names.count, "each once")
            for metric in described.descriptors {
                #expect(metric.labelKeys == Self.base + (Self.names[metric.name] ?? []), "\(metric.name)")
                #expect(!metric.help.isEmpty)
            }
        }
    }

    @Test("a container with everything has every metric, and its values are those of the kernel")
    func values() async throws {
        try await Fixture.run { fixture in
            fixture.statistics.state.withLock { $0.usage.counted = Self.everything }
            let pod = try await fixture.runPod()
            let config = Requests.container.with("linux.resources", Self.limits)
            let created = try await fixture.call(
                "CreateContainer", ["pod_sandbox_id": .string(pod), "config": config])
            let id = try Runtime_V1_CreateContainerResponse(jsonString: created.response).containerID
            #expect(try await fixture.call("StartContainer", ["container_id": .string(id)]).isOK)
            let list = try await list(fixture)
            let found = try #require(list.podMetrics.first { $0.podSandboxID == pod })
            let metrics = found.metrics + (found.containerMetrics.first { $0.containerID == id }?.metrics ?? [])
            #expect(Set(metrics.map(\.name)) == Set(Self.names.keys))
            for metric in metrics {
                let labels = Self.base.count + (Self.names[metric.name]?.count ?? 0)
                #expect(metric.labelValues.count == labels, "\(metric.name)")
                #expect(metric.hasValue && metric.timestamp > 0, "\(metric.name)")
                #expect(metric.labelValues[3] == (metric.name.contains("network") ? pod : id), "\(metric.name)")
                #expect((metric.labelValues[2] == "") == metric.name.contains("network"), "\(metric.name)")
                let isCounter = metric.name.hasSuffix("_total") && !metric.name.contains("inodes")
                #expect((metric.metricType == .counter) == (isCounter || metric.name.hasSuffix("failcnt")))
            }
            for (name, own, value) in Self.expected {
                let same = metrics.filter { $0.name == name && Array($0.labelValues.dropFirst(5)) == own }
                #expect(same.map(\.value.value) == [value], "\(name) \(own)")
            }
            // The stream has the same, a pod a message.
            let stream = try await fixture.call("StreamPodSandboxMetrics")
            let streamed = try Runtime_V1_StreamPodSandboxMetricsResponse(jsonString: stream.response)
            #expect(streamed.podSandboxMetrics.map(\.podSandboxID) == [pod])
            #expect(
                streamed.podSandboxMetrics.flatMap(\.containerMetrics).flatMap(\.metrics).map(\.name)
                    == found.containerMetrics.flatMap(\.metrics).map(\.name))
        }
    }

    @Test("what the kernel or the host does not offer is absent, not zero")
    func absence() async throws {
        try await Fixture.run { fixture in
            fixture.statistics.state.withLock { state in
                state.usage.counted = CgroupStatistics()
                state.layers = false
                state.interfaces = nil
                state.processes = ProcessUse()
                state.volume = nil
            }
            let pod = try await fixture.runPod()
            _ = try await fixture.container(in: pod, start: true)
            let found = try #require(try await list(fixture).podMetrics.first)
            #expect(found.metrics.isEmpty)
            let asked = ["cpu_period", "cpu_shares", "memory_limit_bytes", "memory_swap_limit_bytes"]
            #expect(
                Set(found.containerMetrics.flatMap(\.metrics).map(\.name))
                    == Set(
                        asked.map { "container_spec_\($0)" } + ["container_last_seen", "container_start_time_seconds"]))
        }
    }

    @Test("who does not run, and whose cgroup is gone, is left out; a stopped pod is not listed")
    func membership() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            let running = try await fixture.container(in: pod, start: true)
            let gone = try await fixture.container(in: pod, named: "gone", start: true)
            _ = try await fixture.container(in: pod, named: "created")
            _ = try await list(fixture)
            let cgroup = try #require(fixture.statistics.state.withLock { $0.asked.first { $0.contains(gone) } })
            fixture.statistics.state.withLock { _ = $0.gone.insert(cgroup) }
            let metrics = try await list(fixture).podMetrics
            #expect(metrics.flatMap(\.containerMetrics).map(\.containerID) == [running])
            #expect(try await fixture.call("StopPodSandbox", ["pod_sandbox_id": .string(pod)]).isOK)
            #expect(try await list(fixture).podMetrics.isEmpty)
        }
    }

    private func list(_ fixture: Fixture) async throws -> Runtime_V1_ListPodSandboxMetricsResponse {
        try await fixture.send(CRIMethods.listPodSandboxMetrics)
    }

    private static let limits: JSON = [
        "cpu_period": 50000, "cpu_quota": 20000, "cpu_shares": 512, "memory_limit_in_bytes": 1_048_576,
        "memory_swap_limit_in_bytes": 2_097_152,
    ]

    private static var everything: CgroupStatistics {
        var counted = FakeStatistics.counted
        counted.cpu = .init(
            "usage_usec 9000000\nuser_usec 6000000\nsystem_usec 3999999\nnr_periods 7\nnr_throttled 5\n"
                + "throttled_usec 2000000\n")
        counted.memory?.peakBytes = 20000
        counted.memory?.minBytes = 4096
        counted.memory?.events = .init("max 6\noom_kill 2\n")
        counted.memory?.kernelBytes = 77
        counted.io = CgroupStatistics.DeviceIO.lines(
            "8:0 rbytes=100 wbytes=200 rios=3 wios=4\n9:1 rbytes=1 wbytes=0 rios=1 wios=0\n")
        var pages = CgroupStatistics.Hugetlb(pageSize: "2MB", currentBytes: 2 << 20, limitHits: 1)
        pages.peakBytes = 4 << 20
        counted.hugetlb = [pages]
        let pressure = "some avg10=0.00 avg60=0.00 avg300=0.00 total=5000000\n"
        let full = "full avg10=0.00 avg60=0.00 avg300=0.00 total=4000000\n"
        counted.pressure.cpu = .init(pressure + full)
        counted.pressure.memory = .init(pressure + full)
        counted.pressure.io = .init(pressure + full)
        return counted
    }

    private static let expected: [(String, [String], UInt64)] = [
        ("container_cpu_usage_seconds_total", ["total"], 9), ("container_cpu_user_seconds_total", [], 6),
        ("container_cpu_system_seconds_total", [], 3), ("container_cpu_cfs_periods_total", [], 7),
        ("container_cpu_cfs_throttled_periods_total", [], 5), ("container_cpu_cfs_throttled_seconds_total", [], 2),
        ("container_memory_usage_bytes", [], 10000), ("container_memory_working_set_bytes", [], 7500),
        ("container_memory_max_usage_bytes", [], 20000), ("container_memory_kernel_usage", [], 77),
        ("container_memory_failcnt", [], 6), ("container_oom_events_total", [], 2),
        ("container_memory_failures_total", ["pgmajfault", "container"], 3),
        ("container_memory_failures_total", ["pgfault", "hierarchy"], 12), ("container_memory_swap", [], 100),
        ("container_fs_inodes_free", ["/dev/vda1"], 900), ("container_fs_limit_bytes", ["/dev/vda1"], 1 << 30),
        ("container_fs_usage_bytes", ["/dev/vda1"], 8192), ("container_fs_reads_total", ["/dev/sda"], 3),
        ("container_fs_writes_bytes_total", ["9:1"], 0),
        ("container_blkio_device_usage_total", ["/dev/sda", "8", "0", "Write"], 200),
        ("container_network_receive_bytes_total", ["eth0"], 10),
        ("container_network_receive_packets_dropped_total", ["net1"], 6),
        ("container_network_transmit_packets_total", ["eth0"], 70), ("container_processes", [], 3),
        ("container_threads", [], 5), ("container_threads_max", [], 0), ("container_file_descriptors", [], 12),
        ("container_sockets", [], 2), ("container_ulimits_soft", ["max_open_files"], 1024),
        ("container_spec_cpu_period", [], 50000), ("container_spec_cpu_quota", [], 20000),
        ("container_spec_cpu_shares", [], 512), ("container_spec_memory_limit_bytes", [], 1 << 20),
        ("container_spec_memory_reservation_limit_bytes", [], 4096),
        ("container_spec_memory_swap_limit_bytes", [], 2 << 20), ("container_hugetlb_usage_bytes", ["2MB"], 2 << 20),
        ("container_hugetlb_max_usage_bytes", ["2MB"], 4 << 20),
        ("container_pressure_io_waiting_seconds_total", [], 5), ("container_pressure_cpu_stalled_seconds_total", [], 4),
    ]
}
