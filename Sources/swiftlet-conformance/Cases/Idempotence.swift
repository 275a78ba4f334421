import CRIProto
import SwiftProtobuf
import GRPC

/// Calls made twice, at once, or in a state that does not allow them.
let idempotenceCases: [Case] = [
    Case(
        "idempotence.stop-pod-twice", "StopPodSandbox may be called again, and the pod is then NOTREADY",
        source: "api.proto StopPodSandbox",
        proves: ["StopPodSandbox", "StopPodSandboxRequest.pod_sandbox_id"]
    ) { trial in
        let pod = try await trial.pod()
        try await trial.stop(pod)
        try await trial.stop(pod)
        try equal(try await trial.podStatus(pod).state, .sandboxNotready, "state")
    },
    Case(
        "idempotence.remove-pod-twice", "RemovePodSandbox may be called again, and the pod is then NotFound",
        source: "api.proto RemovePodSandbox",
        proves: ["RemovePodSandbox", "RemovePodSandboxRequest.pod_sandbox_id"]
    ) { trial in
        let pod = try await trial.pod()
        try await trial.stop(pod)
        try await trial.remove(pod)
        try await trial.remove(pod)
        try await trial.refused(CRIMethods.podSandboxStatus, .with { $0.podSandboxID = pod.id }, as: .notFound)
    },
    Case(
        "idempotence.stop-pod-stops-containers", "StopPodSandbox ends the containers of the pod",
        source: "api.proto StopPodSandbox",
        proves: ["StopPodSandbox"]
    ) { trial in
        let container = try await trial.running()
        try await trial.stop(container.pod)
        try equal(try await trial.status(container).state, .containerExited, "state")
    },
    Case(
        "idempotence.remove-pod-removes-containers", "RemovePodSandbox removes a running pod with all its containers",
        source: "api.proto RemovePodSandbox", proves: ["RemovePodSandbox"]
    ) { trial in
        let container = try await trial.running()
        try await trial.remove(container.pod)
        try await trial.refused(CRIMethods.containerStatus, .with { $0.containerID = container.id }, as: .notFound)
    },
    Case(
        "idempotence.stop-container-twice", "StopContainer of a stopped container succeeds and changes nothing",
        source: "api.proto StopContainer", proves: ["StopContainer", "StopContainerRequest.container_id"]
    ) { trial in
        let container = try await trial.running()
        try await trial.stop(container)
        let first = try await trial.status(container)
        try await trial.stop(container)
        try equal(try await trial.status(container), first, "status")
    },
    Case(
        "idempotence.stop-at-once", "StopContainer calls at once all succeed",
        source: "kubelet kuberuntime_container.go",
        proves: ["StopContainer"]
    ) { trial in
        let container = try await trial.running()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for timeout in [Int64(0), 5, 30] { group.addTask { try await trial.stop(container, timeout: timeout) } }
            try await group.waitForAll()
        }
        try equal(try await trial.status(container).state, .containerExited, "state")
    },
    Case(
        "idempotence.remove-running", "RemoveContainer of a running container ends and removes it",
        source: "api.proto RemoveContainer",
        proves: ["RemoveContainer", "RemoveContainerRequest.container_id"]
    ) { trial in
        let container = try await trial.running()
        try await trial.remove(container)
        try await trial.remove(container)
        try await trial.refused(CRIMethods.containerStatus, .with { $0.containerID = container.id }, as: .notFound)
    },
    Case(
        "idempotence.start-twice", "StartContainer of a running or an exited container fails",
        source: "containerd container_start.go",
        proves: ["StartContainer"]
    ) { trial in
        let container = try await trial.running()
        try await trial.refused(CRIMethods.startContainer, .with { $0.containerID = container.id }, because: "it runs")
        try await trial.stop(container)
        try await trial.refused(
            CRIMethods.startContainer, .with { $0.containerID = container.id }, because: "it has ended")
    },
    Case(
        "idempotence.create-in-stopped-pod", "CreateContainer in a stopped pod fails",
        source: "containerd container_create.go",
        proves: ["CreateContainer"]
    ) { trial in
        let pod = try await trial.pod()
        try await trial.stop(pod)
        try await trial.refused(
            CRIMethods.createContainer, Trial.request(trial.containerConfig(), in: pod), because: "the pod is stopped")
    },
    Case(
        "idempotence.failed-create-leaves-nothing",
        "A CreateContainer that failed leaves nothing, and its name is free",
        source: "api.proto CreateContainer", proves: ["CreateContainer"]
    ) { trial in
        let pod = try await trial.pod()
        var config = trial.containerConfig { $0.image.image = "localhost/no-such-image:\(trial.mark)" }
        try await trial.refused(
            CRIMethods.createContainer, Trial.request(config, in: pod), because: "the image is not there")
        let listed = try await trial.call(CRIMethods.listContainers, .with { $0.filter.podSandboxID = pod.id })
        try equal(listed.containers.count, 0, "containers")
        config.image.image = trial.subject.settings.image
        _ = try await trial.create(config, in: pod)
    },
    Case(
        "idempotence.name-after-removal", "The name of a removed container can be used again",
        source: "kubelet kuberuntime_container.go",
        proves: ["CreateContainer", "RemoveContainer"]
    ) { trial in
        let pod = try await trial.pod()
        let config = trial.containerConfig()
        let first = try await trial.create(config, in: pod)
        try await trial.remove(first)
        let second = try await trial.create(config, in: pod)
        try expect(first.id != second.id, "the id came back")
    },
    Case(
        "idempotence.names-are-unique", "No two containers of a pod have one name and attempt",
        source: "api.proto ContainerMetadata",
        proves: ["CreateContainer", "CreateContainerRequest.config.metadata.attempt"]
    ) { trial in
        let pod = try await trial.pod()
        var config = trial.containerConfig()
        let first = try await trial.create(config, in: pod)
        // A runtime may refuse, or take it for a retry and give the same container.
        let reply = await trial.answer(of: CRIMethods.createContainer, Trial.request(config, in: pod))
        try expect(reply == nil || reply?.containerID == first.id, "a second container of the same name")
        config.metadata.attempt = 1
        let next = try await trial.create(config, in: pod)
        try expect(next.id != first.id, "the next attempt is the same container")
    },
    Case(
        "idempotence.pods-are-unique", "No two pods have one name, namespace, uid and attempt",
        source: "api.proto PodSandboxMetadata",
        proves: ["RunPodSandbox"]
    ) { trial in
        let first = try await trial.pod()
        let reply = await trial.answer(
            of: CRIMethods.runPodSandbox,
            .with {
                $0.config = first.config
                $0.runtimeHandler = trial.subject.settings.handler
            })
        try expect(reply == nil || reply?.podSandboxID == first.id, "a second pod of the same name")
    },
    Case(
        "idempotence.reopen-needs-running",
        "ReopenContainerLog of a container that has not started, or has ended, fails",
        source: "containerd container_log_reopen.go", proves: ["ReopenContainerLog"]
    ) { trial in
        let container = try await trial.create(trial.containerConfig(), in: try await trial.pod())
        try await trial.refused(
            CRIMethods.reopenContainerLog, .with { $0.containerID = container.id }, because: "it has not started")
    },
    Case(
        "idempotence.exec-needs-running", "ExecSync in a container that does not run fails",
        source: "containerd container_execsync.go",
        proves: ["ExecSync"]
    ) { trial in
        let container = try await trial.create(trial.containerConfig(), in: try await trial.pod())
        try await trial.refused(
            CRIMethods.execSync,
            .with {
                $0.containerID = container.id
                $0.cmd = ["true"]
            }, because: "it has not started")
    },
    Case(
        "idempotence.update-runtime-config", "UpdateRuntimeConfig succeeds", source: "api.proto UpdateRuntimeConfig",
        proves: ["UpdateRuntimeConfig", "UpdateRuntimeConfigRequest.runtime_config.network_config.pod_cidr"]
    ) { trial in
        try await trial.call(
            CRIMethods.updateRuntimeConfig, .with { $0.runtimeConfig.networkConfig.podCidr = "10.244.0.0/24" })
    },
]
