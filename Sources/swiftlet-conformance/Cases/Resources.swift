import CRIProto
import SwiftProtobuf
import GRPC
import Foundation

/// Limits, where they show in the status and in the cgroup.
let resourceCases: [Case] = [
    Case(
        "resources.status", "ContainerStatus shows the limits of the request", source: "kubelet kuberuntime convert.go",
        proves: [
            "ContainerStatus", "CreateContainerRequest.config.linux.resources.cpu_shares",
            "CreateContainerRequest.config.linux.resources.cpu_quota",
            "CreateContainerRequest.config.linux.resources.cpu_period",
            "CreateContainerRequest.config.linux.resources.memory_limit_in_bytes",
        ]
    ) { trial in
        try Host.needs("memory")
        try Host.needs("cpu")
        let shown = try await trial.status(trial.running { $0.linux.resources = limits }).resources.linux
        try equal(shown.cpuShares, limits.cpuShares, "cpu_shares")
        try equal(shown.cpuQuota, limits.cpuQuota, "cpu_quota")
        try equal(shown.cpuPeriod, limits.cpuPeriod, "cpu_period")
        try equal(shown.memoryLimitInBytes, limits.memoryLimitInBytes, "memory_limit_in_bytes")
    },
    Case(
        "resources.memory", "The memory limit is memory.max", source: "runtime-spec config-linux.md",
        proves: ["CreateContainerRequest.config.linux.resources.memory_limit_in_bytes"]
    ) { trial in
        try Host.needs("memory")
        let text = try await trial.output(of: "cat /sys/fs/cgroup/memory.max") {
            $0.linux.resources.memoryLimitInBytes = 128 << 20
        }
        try equal(text, "\(128 << 20)", "memory.max")
    },
    Case(
        "resources.cpu-quota", "Quota and period are cpu.max", source: "runtime-spec config-linux.md",
        proves: [
            "CreateContainerRequest.config.linux.resources.cpu_quota",
            "CreateContainerRequest.config.linux.resources.cpu_period",
        ]
    ) { trial in
        try Host.needs("cpu")
        let text = try await trial.output(of: "cat /sys/fs/cgroup/cpu.max") {
            $0.linux.resources.cpuQuota = 50_000
            $0.linux.resources.cpuPeriod = 100_000
        }
        try equal(text, "50000 100000", "cpu.max")
    },
    Case(
        "resources.cpuset", "cpuset_cpus is cpuset.cpus", source: "runtime-spec config-linux.md",
        proves: ["CreateContainerRequest.config.linux.resources.cpuset_cpus"]
    ) { trial in
        try Host.needs("cpuset")
        try equal(
            try await trial.output(of: "cat /sys/fs/cgroup/cpuset.cpus") { $0.linux.resources.cpusetCpus = "0" }, "0",
            "cpuset.cpus")
    },
    Case(
        "resources.unified", "A file of cgroup v2 that is named is written as it is",
        source: "api.proto LinuxContainerResources.unified",
        proves: ["CreateContainerRequest.config.linux.resources.unified"]
    ) { trial in
        try Host.needs("pids")
        try equal(
            try await trial.output(of: "cat /sys/fs/cgroup/pids.max") {
                $0.linux.resources.unified = ["pids.max": "77"]
            }, "77", "pids.max")
    },
    Case(
        "resources.unified-unknown", "A file of cgroup v2 that does not exist fails the container",
        source: "runtime-spec config-linux.md",
        proves: ["CreateContainerRequest.config.linux.resources.unified"]
    ) { trial in
        let config = trial.containerConfig { $0.linux.resources.unified = ["no.such.file": "1"] }
        let pod = try await trial.pod()
        guard let made = await trial.answer(of: CRIMethods.createContainer, Trial.request(config, in: pod))
        else { return }
        try await trial.refused(
            CRIMethods.startContainer, .with { $0.containerID = made.containerID }, because: "there is no such file")
    },
    Case(
        "resources.update", "UpdateContainerResources changes a running container, and the status shows it",
        source: "kubelet kuberuntime_manager.go",
        proves: ["UpdateContainerResources", "UpdateContainerResourcesRequest.linux.memory_limit_in_bytes"]
    ) { trial in
        try Host.needs("memory")
        let container = try await trial.running { $0.linux.resources.memoryLimitInBytes = 128 << 20 }
        try await trial.call(
            CRIMethods.updateContainerResources,
            .with {
                $0.containerID = container.id
                $0.linux.memoryLimitInBytes = 256 << 20
            })
        try equal(try await trial.sh("cat /sys/fs/cgroup/memory.max", in: container), "\(256 << 20)", "memory.max")
        try equal(try await trial.status(container).resources.linux.memoryLimitInBytes, 256 << 20, "status")
    },
    Case(
        "resources.update-created", "UpdateContainerResources of a created container counts when it starts",
        source: "containerd container_update_resources.go",
        proves: ["UpdateContainerResources", "UpdateContainerResourcesRequest.linux.oom_score_adj"]
    ) { trial in
        let container = try await trial.create(trial.containerConfig(), in: try await trial.pod())
        try await trial.call(
            CRIMethods.updateContainerResources,
            .with {
                $0.containerID = container.id
                $0.linux.oomScoreAdj = 321
            })
        try await trial.start(container)
        try equal(try await trial.status(container).state, .containerRunning, "state")
    },
    Case(
        "resources.update-pod", "UpdatePodSandboxResources succeeds", source: "api.proto UpdatePodSandboxResources",
        proves: ["UpdatePodSandboxResources", "UpdatePodSandboxResourcesRequest.pod_sandbox_id"]
    ) { trial in
        let pod = try await trial.pod()
        try await trial.call(CRIMethods.updatePodSandboxResources, .with { $0.podSandboxID = pod.id })
    },
]

private let limits = Runtime_V1_LinuxContainerResources.with {
    $0.cpuShares = 512
    $0.cpuQuota = 50_000
    $0.cpuPeriod = 100_000
    $0.memoryLimitInBytes = 256 << 20
}
