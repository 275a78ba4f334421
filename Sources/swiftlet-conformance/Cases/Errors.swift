import CRIProto
import SwiftProtobuf
import GRPC

private let nobody = String(repeating: "0123456789abcdef", count: 4)

/// What a call answers for things that are not there, and for requests that make no sense.
let errorCases: [Case] = [
    Case(
        "errors.pod-status-unknown", "PodSandboxStatus of an unknown id is NotFound",
        source: "kubelet kuberuntime_manager.go",
        proves: ["PodSandboxStatus", "PodSandboxStatusRequest.pod_sandbox_id"]
    ) { try await $0.refused(CRIMethods.podSandboxStatus, .with { $0.podSandboxID = nobody }, as: .notFound) },
    Case(
        "errors.container-status-unknown", "ContainerStatus of an unknown id is NotFound",
        source: "kubelet kuberuntime_container.go", proves: ["ContainerStatus", "ContainerStatusRequest.container_id"]
    ) { try await $0.refused(CRIMethods.containerStatus, .with { $0.containerID = nobody }, as: .notFound) },
    Case(
        "errors.stop-pod-unknown", "StopPodSandbox of an unknown id succeeds", source: "api.proto StopPodSandbox",
        proves: ["StopPodSandbox"]
    ) { try await $0.call(CRIMethods.stopPodSandbox, .with { $0.podSandboxID = nobody }) },
    Case(
        "errors.remove-pod-unknown", "RemovePodSandbox of an unknown id succeeds",
        source: "api.proto RemovePodSandbox", proves: ["RemovePodSandbox"]
    ) { try await $0.call(CRIMethods.removePodSandbox, .with { $0.podSandboxID = nobody }) },
    Case(
        "errors.stop-container-unknown", "StopContainer of an unknown id succeeds", source: "api.proto StopContainer",
        proves: ["StopContainer"]
    ) { try await $0.call(CRIMethods.stopContainer, .with { $0.containerID = nobody }) },
    Case(
        "errors.remove-container-unknown", "RemoveContainer of an unknown id succeeds",
        source: "api.proto RemoveContainer", proves: ["RemoveContainer"]
    ) { try await $0.call(CRIMethods.removeContainer, .with { $0.containerID = nobody }) },
    Case(
        "errors.start-unknown", "StartContainer of an unknown id is NotFound", source: "containerd container_start.go",
        proves: ["StartContainer", "StartContainerRequest.container_id"]
    ) { try await $0.refused(CRIMethods.startContainer, .with { $0.containerID = nobody }, as: .notFound) },
    Case(
        "errors.exec-sync-unknown", "ExecSync of an unknown id is NotFound", source: "containerd container_execsync.go",
        proves: ["ExecSync", "ExecSyncRequest.container_id"]
    ) {
        try await $0.refused(
            CRIMethods.execSync,
            .with {
                $0.containerID = nobody
                $0.cmd = ["true"]
            }, as: .notFound)
    },
    Case(
        "errors.exec-unknown", "Exec of an unknown id is NotFound", source: "containerd container_exec.go",
        proves: ["Exec", "ExecRequest.container_id"]
    ) {
        try await $0.refused(
            CRIMethods.exec,
            .with {
                $0.containerID = nobody
                $0.cmd = ["true"]
                $0.stdout = true
            }, as: .notFound)
    },
    Case(
        "errors.attach-unknown", "Attach of an unknown id is NotFound", source: "containerd container_attach.go",
        proves: ["Attach", "AttachRequest.container_id"]
    ) {
        try await $0.refused(
            CRIMethods.attach,
            .with {
                $0.containerID = nobody
                $0.stdout = true
            }, as: .notFound)
    },
    Case(
        "errors.port-forward-unknown", "PortForward of an unknown id is NotFound",
        source: "containerd sandbox_portforward.go", proves: ["PortForward", "PortForwardRequest.pod_sandbox_id"]
    ) { try await $0.refused(CRIMethods.portForward, .with { $0.podSandboxID = nobody }, as: .notFound) },
    Case(
        "errors.reopen-unknown", "ReopenContainerLog of an unknown id is NotFound",
        source: "containerd container_log_reopen.go",
        proves: ["ReopenContainerLog", "ReopenContainerLogRequest.container_id"]
    ) { try await $0.refused(CRIMethods.reopenContainerLog, .with { $0.containerID = nobody }, as: .notFound) },
    Case(
        "errors.update-unknown", "UpdateContainerResources of an unknown id is NotFound",
        source: "containerd container_update_resources.go",
        proves: ["UpdateContainerResources", "UpdateContainerResourcesRequest.container_id"]
    ) {
        try await $0.refused(
            CRIMethods.updateContainerResources,
            .with {
                $0.containerID = nobody
                $0.linux.cpuShares = 100
            }, as: .notFound)
    },
    Case(
        "errors.container-stats-unknown", "ContainerStats of an unknown id is NotFound",
        source: "containerd container_stats.go", proves: ["ContainerStats", "ContainerStatsRequest.container_id"]
    ) { try await $0.refused(CRIMethods.containerStats, .with { $0.containerID = nobody }, as: .notFound) },
    Case(
        "errors.pod-stats-unknown", "PodSandboxStats of an unknown id is NotFound",
        source: "containerd sandbox_stats.go", proves: ["PodSandboxStats", "PodSandboxStatsRequest.pod_sandbox_id"]
    ) { try await $0.refused(CRIMethods.podSandboxStats, .with { $0.podSandboxID = nobody }, as: .notFound) },
    Case(
        "errors.checkpoint-unknown", "CheckpointContainer of an unknown id is NotFound",
        source: "containerd container_checkpoint.go",
        proves: ["CheckpointContainer", "CheckpointContainerRequest.container_id"]
    ) { trial in
        try await trial.refused(
            CRIMethods.checkpointContainer,
            .with {
                $0.containerID = nobody
                $0.location = trial.directory + "/checkpoint.tar"
            }, as: .notFound)
    },
    Case(
        "errors.create-in-unknown-pod", "CreateContainer in an unknown pod fails", source: "api.proto CreateContainer",
        proves: ["CreateContainer", "CreateContainerRequest.pod_sandbox_id"]
    ) { trial in
        let pod = Pod(id: nobody, config: try trial.podConfig())
        try await trial.refused(
            CRIMethods.createContainer, Trial.request(trial.containerConfig(), in: pod), because: "there is no such pod"
        )
    },
    Case(
        "errors.run-without-metadata", "RunPodSandbox without metadata fails", source: "api.proto PodSandboxConfig",
        proves: ["RunPodSandbox", "RunPodSandboxRequest.config.metadata.name"]
    ) { trial in
        try await trial.refused(
            CRIMethods.runPodSandbox, .with { $0.config.linux = .init() }, because: "its pod has no name")
    },
    Case(
        "errors.create-without-metadata", "CreateContainer without metadata fails", source: "api.proto ContainerConfig",
        proves: ["CreateContainer", "CreateContainerRequest.config.metadata.name"]
    ) { trial in
        let config = trial.containerConfig { $0.clearMetadata() }
        try await trial.refused(
            CRIMethods.createContainer, Trial.request(config, in: try await trial.pod()), because: "it has no name")
    },
    Case(
        "errors.unknown-handler", "RunPodSandbox with an unknown runtime handler fails",
        source: "api.proto RunPodSandboxRequest",
        proves: ["RunPodSandbox", "RunPodSandboxRequest.runtime_handler"]
    ) { trial in
        let config = try trial.podConfig()
        try await trial.refused(
            CRIMethods.runPodSandbox,
            .with {
                $0.config = config
                $0.runtimeHandler = "no-such-handler"
            }, because: "there is no such handler")
    },
    Case(
        "errors.exec-sync-timeout", "ExecSync past its timeout is DeadlineExceeded, and what it ran is gone",
        source: "cri-client remote_runtime.go", proves: ["ExecSync", "ExecSyncRequest.timeout"]
    ) { trial in
        let container = try await trial.running()
        try await trial.refused(
            CRIMethods.execSync,
            .with {
                $0.containerID = container.id
                $0.cmd = ["sh", "-c", "sleep 4711 & sleep 4711"]
                $0.timeout = 1
            }, as: .deadlineExceeded)
        try await trial.eventually("the processes of the exec are gone") {
            try await trial.sh(
                "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c 'slee[p] 4711' || true", in: container)
                == "0"
        }
    },
]
