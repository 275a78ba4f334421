import CRIProto
import SwiftProtobuf
import Foundation
import GRPC

/// Statistics of containers and pods.
let statsCases: [Case] = [
    Case(
        "stats.container", "ContainerStats names its container and has times and values",
        source: "critest container.go", proves: ["ContainerStats"]
    ) { trial in
        let container = try await trial.running()
        let stats = try await trial.call(CRIMethods.containerStats, .with { $0.containerID = container.id }).stats
        try equal(stats.attributes.id, container.id, "id")
        try equal(stats.attributes.metadata, container.config.metadata, "metadata")
        try equal(stats.attributes.labels, container.config.labels, "labels")
        try expect(stats.cpu.timestamp > 0 && stats.cpu.usageCoreNanoSeconds.value > 0, "cpu \(stats.cpu)")
    },
    Case(
        "stats.memory", "ContainerStats has the memory in use", source: "kubelet cri_stats_provider.go",
        proves: ["ContainerStats"]
    ) { trial in
        try Host.needs("memory")
        let container = try await trial.running()
        let memory = try await trial.call(CRIMethods.containerStats, .with { $0.containerID = container.id }).stats
            .memory
        try expect(memory.timestamp > 0 && memory.workingSetBytes.value > 0, "memory \(memory)")
    },
    Case(
        "stats.list", "ListContainerStats has the running containers that the filter selects, and no other",
        source: "api.proto ContainerStatsFilter",
        proves: ["ListContainerStats", "ListContainerStatsRequest.filter.pod_sandbox_id"]
    ) { trial in
        let pod = try await trial.pod()
        let one = try await trial.start(in: pod)
        let other = try await trial.running()
        let ended = try await trial.run("true", in: pod)
        let ids = try await trial.call(CRIMethods.listContainerStats, .with { $0.filter.podSandboxID = pod.id }).stats
            .map(\.attributes.id)
        try expect(ids.contains(one.id) && !ids.contains(other.id) && !ids.contains(ended.id), "containers \(ids)")
    },
    Case(
        "stats.list-labels", "ListContainerStats filters by label", source: "api.proto ContainerStatsFilter",
        proves: ["ListContainerStats", "ListContainerStatsRequest.filter.label_selector"]
    ) { trial in
        let pod = try await trial.pod()
        let one = try await trial.start(in: pod) { $0.labels["which"] = trial.mark }
        _ = try await trial.start(in: pod)
        let stats = try await trial.call(
            CRIMethods.listContainerStats, .with { $0.filter.labelSelector = ["which": trial.mark] }
        ).stats
        try equal(stats.map(\.attributes.id), [one.id], "containers")
    },
    Case(
        "stats.layer", "The writable layer of a container grows with what it writes",
        source: "api.proto ContainerStats.writable_layer", proves: ["ContainerStats"]
    ) { trial in
        let container = try await trial.running()
        _ = try await trial.sh("head -c 5000000 /dev/zero > /file; sync", in: container)
        try await trial.eventually("the writable layer has 5 MB") {
            try await trial.call(CRIMethods.containerStats, .with { $0.containerID = container.id }).stats.writableLayer
                .usedBytes.value >= 5_000_000
        }
    },
    Case(
        "stats.pod", "PodSandboxStats names its pod and has its network", source: "kubelet cri_stats_provider.go",
        proves: ["PodSandboxStats"]
    ) { trial in
        let container = try await trial.running()
        let stats = try await trial.call(CRIMethods.podSandboxStats, .with { $0.podSandboxID = container.pod.id }).stats
        try equal(stats.attributes.id, container.pod.id, "id")
        try equal(stats.attributes.metadata, container.pod.config.metadata, "metadata")
        try equal(stats.linux.network.defaultInterface.name, "eth0", "default interface")
        try equal(stats.linux.containers.map(\.attributes.id), [container.id], "containers")
    },
    Case(
        "stats.pod-list", "ListPodSandboxStats has the pods that the filter selects",
        source: "api.proto PodSandboxStatsFilter",
        proves: [
            "ListPodSandboxStats", "ListPodSandboxStatsRequest.filter.id",
            "ListPodSandboxStatsRequest.filter.label_selector",
        ]
    ) { trial in
        let pods = [try await trial.pod(), try await trial.pod()]
        let byLabel = try await trial.call(
            CRIMethods.listPodSandboxStats, .with { $0.filter.labelSelector = ["io.kubernetes.pod.uid": trial.mark] })
        try equal(Set(byLabel.stats.map(\.attributes.id)), Set(pods.map(\.id)), "by label")
        let byID = try await trial.call(CRIMethods.listPodSandboxStats, .with { $0.filter.id = pods[0].id })
        try equal(byID.stats.map(\.attributes.id), [pods[0].id], "by id")
    },
    Case(
        "stats.stream-containers", "StreamContainerStats gives what ListContainerStats gives",
        source: "api.proto StreamContainerStats",
        proves: ["StreamContainerStats"]
    ) { trial in
        let container = try await trial.running()
        let streamed: [Runtime_V1_StreamContainerStatsResponse] = try await trial.collect(
            CRIMethods.streamContainerStats, .with { $0.filter.podSandboxID = container.pod.id })
        // A message's text has its fields in debug builds only.
        try equal(streamed.flatMap(\.containerStats).map(\.attributes.id), [container.id], "containers")
    },
    Case(
        "stats.stream-pods", "StreamPodSandboxStats gives what ListPodSandboxStats gives",
        source: "api.proto StreamPodSandboxStats",
        proves: ["StreamPodSandboxStats"]
    ) { trial in
        let pod = try await trial.pod()
        let streamed: [Runtime_V1_StreamPodSandboxStatsResponse] = try await trial.collect(
            CRIMethods.streamPodSandboxStats, .with { $0.filter.id = pod.id })
        try equal(streamed.flatMap(\.podSandboxStats).map(\.attributes.id), [pod.id], "pods")
    },
]

/// Metrics that a kubelet hands on.
let metricCases: [Case] = [
    Case(
        "metrics.described", "Every metric is described, with one value for each key of its labels, a time and a type",
        source: "critest pod.go",
        proves: ["ListMetricDescriptors", "ListPodSandboxMetrics"]
    ) { trial in
        let container = try await trial.running()
        let described = try await trial.call(CRIMethods.listMetricDescriptors, .init()).descriptors
        try expect(!described.isEmpty, "no descriptors")
        let keys = Dictionary(described.map { ($0.name, $0.labelKeys.count) }) { first, _ in first }
        let pods = try await trial.call(CRIMethods.listPodSandboxMetrics, .init()).podMetrics
        guard let pod = pods.first(where: { $0.podSandboxID == container.pod.id }) else {
            throw fail("the pod is not listed")
        }
        let metrics = pod.metrics + pod.containerMetrics.flatMap(\.metrics)
        try expect(!metrics.isEmpty, "no metrics")
        for metric in metrics {
            try equal(metric.labelValues.count, keys[metric.name] ?? -1, "label values of \(metric.name)")
            try expect(metric.timestamp > 0, "\(metric.name) has no time")
            // Of these two, name and meaning disagree, and runtimes differ.
            if ["container_fs_inodes_total", "container_memory_failcnt"].contains(metric.name) { continue }
            try equal(metric.metricType == .counter, metric.name.hasSuffix("_total"), "\(metric.name) is a counter")
        }
    },
    Case(
        "metrics.container", "A running container has its CPU time among the metrics of its pod",
        source: "critest pod.go", proves: ["ListPodSandboxMetrics"]
    ) { trial in
        let container = try await trial.running()
        let pods = try await trial.call(CRIMethods.listPodSandboxMetrics, .init()).podMetrics
        let own = pods.first { $0.podSandboxID == container.pod.id }?.containerMetrics.first {
            $0.containerID == container.id
        }
        try expect(
            own?.metrics.contains { $0.name == "container_cpu_usage_seconds_total" } == true,
            "metrics \(own?.metrics.map(\.name) ?? [])")
    },
    Case(
        "metrics.names", "Every metric that monitoring depends on is described, once", source: "critest pod.go",
        proves: ["ListMetricDescriptors"]
    ) { trial in
        let names = try await trial.call(CRIMethods.listMetricDescriptors, .init()).descriptors.map(\.name)
        try equal(Set(requiredMetrics.map { "container_" + $0 }).subtracting(names), [], "missing")
        try equal(names.count, Set(names).count, "names that are there once")
    },
    Case(
        "metrics.memory", "A running container's memory is among its metrics, and the most it had is no less",
        source: "critest pod.go", proves: ["ListPodSandboxMetrics"]
    ) { trial in
        try Host.needs("memory")
        let container = try await trial.running()
        let pods = try await trial.call(CRIMethods.listPodSandboxMetrics, .init()).podMetrics
        let own = pods.flatMap(\.containerMetrics).first { $0.containerID == container.id }?.metrics ?? []
        let values = Dictionary(own.map { ($0.name, $0.value.value) }) { first, _ in first }
        let used = values["container_memory_usage_bytes"] ?? 0
        try expect(used > 0, "container_memory_usage_bytes: \(values)")
        try expect(values["container_memory_working_set_bytes"] ?? .max <= used, "working set: \(values)")
        try expect(values["container_memory_max_usage_bytes"] ?? 0 >= used, "most that was used: \(values)")
    },
    Case(
        "metrics.network", "A pod's network is among the metrics of the sandbox, with an empty container",
        source: "critest pod.go", proves: ["ListPodSandboxMetrics"]
    ) { trial in
        let container = try await trial.running()
        let keys = try await trial.call(CRIMethods.listMetricDescriptors, .init()).descriptors.first {
            $0.name == "container_network_receive_bytes_total"
        }?.labelKeys
        guard let at = keys?.firstIndex(of: "container"), let name = keys?.firstIndex(of: "interface") else {
            throw fail("label keys \(keys ?? [])")
        }
        let pods = try await trial.call(CRIMethods.listPodSandboxMetrics, .init()).podMetrics
        let own = (pods.first { $0.podSandboxID == container.pod.id }?.metrics ?? []).filter {
            $0.name == "container_network_receive_bytes_total"
        }
        try equal(own.filter { $0.labelValues[at].isEmpty }.map { $0.labelValues[name] }, ["eth0"], "interfaces")
    },
    Case(
        "metrics.stream", "StreamPodSandboxMetrics gives each pod of ListPodSandboxMetrics once",
        source: "api.proto StreamPodSandboxMetrics", proves: ["StreamPodSandboxMetrics"]
    ) { trial in
        let container = try await trial.running()
        let streamed: [Runtime_V1_StreamPodSandboxMetricsResponse] = try await trial.collect(
            CRIMethods.streamPodSandboxMetrics, .init())
        let own = streamed.flatMap(\.podSandboxMetrics).filter { $0.podSandboxID == container.pod.id }
        try equal(own.count, 1, "messages with the pod")
        try equal(own[0].containerMetrics.map(\.containerID), [container.id], "containers")
    },
]

/// What critest requires, without what it lets a runtime lack.
private let requiredMetrics: [String] = [
    "blkio_device_usage_total", "cpu_cfs_periods_total", "cpu_cfs_throttled_periods_total",
    "cpu_cfs_throttled_seconds_total", "cpu_system_seconds_total", "cpu_usage_seconds_total", "cpu_user_seconds_total",
    "file_descriptors", "fs_inodes_free", "fs_inodes_total", "fs_limit_bytes", "fs_reads_bytes_total",
    "fs_reads_total", "fs_usage_bytes", "fs_writes_bytes_total", "fs_writes_total", "last_seen", "memory_cache",
    "memory_failcnt", "memory_failures_total", "memory_kernel_usage", "memory_mapped_file", "memory_max_usage_bytes",
    "memory_rss", "memory_swap", "memory_usage_bytes", "memory_working_set_bytes", "network_receive_bytes_total",
    "network_receive_errors_total", "network_receive_packets_dropped_total", "network_receive_packets_total",
    "network_transmit_bytes_total", "network_transmit_errors_total", "network_transmit_packets_dropped_total",
    "network_transmit_packets_total", "oom_events_total", "processes", "sockets", "spec_cpu_period",
    "spec_cpu_shares", "spec_memory_limit_bytes", "spec_memory_swap_limit_bytes", "start_time_seconds", "threads",
    "threads_max",
]
