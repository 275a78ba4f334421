import CRIProto
import SwiftProtobuf
import GRPC

/// Ids, names, labels and the fields that a status has to carry.
let identityCases: [Case] = [
    Case(
        "identity.version", "Version names the runtime and both versions; none is empty and the API is v1",
        source: "cri-client remote_runtime.go", proves: ["Version"]
    ) { trial in
        let reply = try await trial.call(CRIMethods.version, .with { $0.version = "v1" })
        try expect(
            !reply.version.isEmpty && !reply.runtimeName.isEmpty && !reply.runtimeVersion.isEmpty,
            "a field is empty: \(reply)")
        try equal(reply.runtimeApiVersion, "v1", "runtime_api_version")
    },
    Case(
        "identity.version-number", "runtime_version is a dotted version", source: "kubelet kuberuntime_manager.go",
        proves: ["Version"]
    ) { trial in
        let version = try await trial.call(CRIMethods.version, .init()).runtimeVersion
        try expect(version.prefixMatch(of: /v?\d+\.\d+/) != nil, "runtime_version is \"\(version)\"")
    },
    Case(
        "identity.status-conditions",
        "Status has the conditions RuntimeReady and NetworkReady, both true on a working node",
        source: "api.proto RuntimeCondition", proves: ["Status"]
    ) { trial in
        let conditions = try await trial.call(CRIMethods.status, .init()).status.conditions
        for type in ["RuntimeReady", "NetworkReady"] {
            try expect(conditions.contains { $0.type == type && $0.status }, "\(type) is not true: \(conditions)")
        }
    },
    Case(
        "identity.status-verbose", "Status has info only if it is asked for", source: "api.proto StatusRequest",
        proves: ["Status", "StatusRequest.verbose"]
    ) { trial in
        try expect(try await trial.call(CRIMethods.status, .init()).info.isEmpty, "info without being asked")
        try expect(!(try await trial.call(CRIMethods.status, .with { $0.verbose = true }).info.isEmpty), "no info")
    },
    Case(
        "identity.default-handler", "Status lists the default runtime handler, whose name is empty",
        source: "api.proto RuntimeHandler", proves: ["Status"]
    ) { trial in
        let handlers = try await trial.call(CRIMethods.status, .init()).runtimeHandlers
        try expect(handlers.contains { $0.name.isEmpty }, "no handler \"\": \(handlers)")
    },
    Case(
        "identity.runtime-config", "RuntimeConfig names the cgroup driver",
        source: "api.proto LinuxRuntimeConfiguration",
        proves: ["RuntimeConfig"]
    ) { trial in
        let driver = try await trial.call(CRIMethods.runtimeConfig, .init()).linux.cgroupDriver
        try expect([.systemd, .cgroupfs].contains(driver), "driver \(driver)")
    },
    Case(
        "identity.ids", "Ids of pods and containers are 64 lower-case hexadecimal digits",
        source: "containerd util/id.go", proves: ["RunPodSandbox", "CreateContainer"]
    ) { trial in
        let container = try await trial.running()
        for id in [container.id, container.pod.id] {
            try expect(id.wholeMatch(of: /[0-9a-f]{64}/) != nil, "id \"\(id)\"")
        }
    },
    Case(
        "identity.pod-status",
        "PodSandboxStatus carries id, metadata, state, labels, annotations and the time of creation",
        source: "cri-client remote_runtime.go verifySandboxStatus",
        proves: [
            "PodSandboxStatus", "RunPodSandboxRequest.config.metadata.name", "RunPodSandboxRequest.config.metadata.uid",
            "RunPodSandboxRequest.config.metadata.namespace", "RunPodSandboxRequest.config.metadata.attempt",
            "RunPodSandboxRequest.config.labels", "RunPodSandboxRequest.config.annotations",
        ]
    ) { trial in
        let pod = try await trial.pod {
            $0.metadata.attempt = 3
            $0.labels["odd"] = "Ünï/=, \"quoted\""
            $0.annotations = ["example.org/a": "line\nline\t{}", "empty": ""]
        }
        let status = try await trial.podStatus(pod)
        try equal(status.id, pod.id, "id")
        try equal(status.metadata, pod.config.metadata, "metadata")
        try equal(status.state, .sandboxReady, "state")
        try expect(
            status.createdAt > 1_600_000_000_000_000_000, "created_at is \(status.createdAt), no time in nanoseconds")
        try equal(status.labels, pod.config.labels, "labels")
        try equal(status.annotations, pod.config.annotations, "annotations")
    },
    Case(
        "identity.pod-namespaces", "PodSandboxStatus echoes the namespace options",
        source: "api.proto LinuxPodSandboxStatus",
        proves: ["PodSandboxStatus", "RunPodSandboxRequest.config.linux.security_context.namespace_options.pid"]
    ) { trial in
        let pod = try await trial.pod { $0.linux.securityContext.namespaceOptions.pid = .container }
        let options = try await trial.podStatus(pod).linux.namespaces.options
        try equal(options.pid, .container, "pid")
        try equal(options.network, .pod, "network")
        try equal(options.ipc, .pod, "ipc")
    },
    Case(
        "identity.pod-list", "ListPodSandbox carries what the status says", source: "kubelet kuberuntime_sandbox.go",
        proves: ["ListPodSandbox", "RunPodSandboxRequest.config.labels"]
    ) { trial in
        let pod = try await trial.pod { $0.annotations = ["a": "b"] }
        let items = try await trial.call(CRIMethods.listPodSandbox, .with { $0.filter.id = pod.id }).items
        try equal(items.count, 1, "pods")
        try equal(items[0].metadata, pod.config.metadata, "metadata")
        try equal(items[0].labels, pod.config.labels, "labels")
        try equal(items[0].annotations, pod.config.annotations, "annotations")
        try equal(items[0].createdAt, try await trial.podStatus(pod).createdAt, "created_at")
    },
    Case(
        "identity.container-status",
        "ContainerStatus carries id, metadata, image, labels, annotations, log path and times",
        source: "cri-client remote_runtime.go verifyContainerStatus",
        proves: [
            "ContainerStatus", "CreateContainerRequest.config.metadata.name",
            "CreateContainerRequest.config.metadata.attempt",
            "CreateContainerRequest.config.labels", "CreateContainerRequest.config.annotations",
            "CreateContainerRequest.config.log_path", "CreateContainerRequest.config.image.image",
        ]
    ) { trial in
        let container = try await trial.running {
            $0.metadata.attempt = 2
            $0.annotations = ["example.org/a": "line\nline"]
        }
        let status = try await trial.status(container)
        try equal(status.id, container.id, "id")
        try equal(status.metadata, container.config.metadata, "metadata")
        try equal(status.state, .containerRunning, "state")
        try equal(status.labels, container.config.labels, "labels")
        try equal(status.annotations, container.config.annotations, "annotations")
        try equal(status.logPath, container.logPath, "log_path")
        try expect(!status.image.image.isEmpty && !status.imageRef.isEmpty, "no image: \(status)")
        try expect(
            0 < status.createdAt && status.createdAt <= status.startedAt,
            "created_at \(status.createdAt), started_at \(status.startedAt)")
        try equal(status.finishedAt, 0, "finished_at of a running container")
    },
    Case(
        "identity.container-states", "A container is CREATED, RUNNING, EXITED, and each time is 0 until it is reached",
        source: "api.proto ContainerState", proves: ["ContainerStatus", "StartContainer", "StopContainer"]
    ) { trial in
        let container = try await trial.create(trial.containerConfig(), in: try await trial.pod())
        let created = try await trial.status(container)
        try equal(created.state, .containerCreated, "state")
        try equal(created.startedAt, 0, "started_at")
        try await trial.start(container)
        try equal(try await trial.status(container).state, .containerRunning, "state")
        try await trial.stop(container)
        let ended = try await trial.status(container)
        try equal(ended.state, .containerExited, "state")
        try expect(
            ended.startedAt <= ended.finishedAt, "started_at \(ended.startedAt), finished_at \(ended.finishedAt)")
    },
    Case(
        "identity.mounts", "ContainerStatus lists exactly the mounts of the request", source: "critest container.go",
        proves: [
            "ContainerStatus", "CreateContainerRequest.config.mounts[].container_path",
            "CreateContainerRequest.config.mounts[].host_path", "CreateContainerRequest.config.mounts[].readonly",
        ]
    ) { trial in
        let container = try await trial.running {
            $0.mounts = [
                .with {
                    $0.hostPath = trial.directory
                    $0.containerPath = "/volume"
                    $0.readonly = true
                }
            ]
        }
        let mounts = try await trial.status(container).mounts
        try equal(mounts.map(\.containerPath), ["/volume"], "container paths")
        try equal(mounts.map(\.hostPath), [trial.directory], "host paths")
        try equal(mounts.map(\.readonly), [true], "readonly")
    },
    Case(
        "identity.status-user", "ContainerStatus reports the user of the process", source: "api.proto ContainerUser",
        proves: [
            "ContainerStatus", "CreateContainerRequest.config.linux.security_context.run_as_user.value",
            "CreateContainerRequest.config.linux.security_context.run_as_group.value",
            "CreateContainerRequest.config.linux.security_context.supplemental_groups",
        ]
    ) { trial in
        let container = try await trial.running {
            $0.linux.securityContext.runAsUser.value = 1234
            $0.linux.securityContext.runAsGroup.value = 2345
            $0.linux.securityContext.supplementalGroups = [3456]
        }
        let user = try await trial.status(container).user.linux
        try equal(user.uid, 1234, "uid")
        try equal(user.gid, 2345, "gid")
        try expect(user.supplementalGroups.contains(3456), "supplemental groups \(user.supplementalGroups)")
    },
    Case(
        "identity.stop-signal", "ContainerStatus reports the stop signal that was asked for",
        source: "api.proto ContainerStatus.stop_signal",
        proves: ["ContainerStatus", "CreateContainerRequest.config.stop_signal"]
    ) { trial in
        let container = try await trial.running { $0.stopSignal = .sigusr1 }
        try equal(try await trial.status(container).stopSignal, .sigusr1, "stop_signal")
    },
    Case(
        "identity.prefix", "A unique prefix of an id selects what the id selects", source: "containerd truncindex",
        proves: ["PodSandboxStatus", "ContainerStatus", "ListContainersRequest.filter.id"]
    ) { trial in
        let container = try await trial.running()
        let pod = try await trial.call(
            CRIMethods.podSandboxStatus, .with { $0.podSandboxID = String(container.pod.id.prefix(16)) })
        try equal(pod.status.id, container.pod.id, "pod")
        let found = try await trial.call(
            CRIMethods.containerStatus, .with { $0.containerID = String(container.id.prefix(16)) })
        try equal(found.status.id, container.id, "container")
        let listed = try await trial.call(
            CRIMethods.listContainers, .with { $0.filter.id = String(container.id.prefix(16)) })
        try equal(listed.containers.map(\.id), [container.id], "listed containers")
    },
    Case(
        "identity.label-filter", "A label filter matches whole values, and filters are joined by AND",
        source: "api.proto ContainerFilter",
        proves: [
            "ListContainers", "ListContainersRequest.filter.label_selector", "ListContainersRequest.filter.state",
            "ListContainersRequest.filter.pod_sandbox_id",
        ]
    ) { trial in
        let pod = try await trial.pod()
        let one = try await trial.start(in: pod) { $0.labels["tier"] = "front" }
        let two = try await trial.create(trial.containerConfig { $0.labels["tier"] = "frontend" }, in: pod)
        func ids(_ change: (inout Runtime_V1_ContainerFilter) -> Void) async throws -> Set<String> {
            let filter = Runtime_V1_ContainerFilter.with {
                $0.podSandboxID = pod.id
                change(&$0)
            }
            return Set(
                try await trial.call(CRIMethods.listContainers, .with { $0.filter = filter }).containers.map(\.id))
        }
        try equal(try await ids { _ in }, [one.id, two.id], "of the pod")
        try equal(try await ids { $0.labelSelector = ["tier": "front"] }, [one.id], "by label")
        try equal(try await ids { $0.state.state = .containerCreated }, [two.id], "by state")
        try equal(
            try await ids {
                $0.labelSelector = ["tier": "front"]
                $0.state.state = .containerCreated
            }, [], "by label and state")
    },
    Case(
        "identity.pod-filter", "ListPodSandbox filters by id, state and label, joined by AND",
        source: "api.proto PodSandboxFilter",
        proves: [
            "ListPodSandbox", "ListPodSandboxRequest.filter.id", "ListPodSandboxRequest.filter.state",
            "ListPodSandboxRequest.filter.label_selector",
        ]
    ) { trial in
        let ready = try await trial.pod()
        let stopped = try await trial.pod()
        try await trial.stop(stopped)
        func ids(_ change: (inout Runtime_V1_PodSandboxFilter) -> Void) async throws -> Set<String> {
            let filter = Runtime_V1_PodSandboxFilter.with {
                $0.labelSelector = ["io.kubernetes.pod.uid": trial.mark]
                change(&$0)
            }
            return Set(try await trial.call(CRIMethods.listPodSandbox, .with { $0.filter = filter }).items.map(\.id))
        }
        try equal(try await ids { _ in }, [ready.id, stopped.id], "by label")
        try equal(try await ids { $0.state.state = .sandboxNotready }, [stopped.id], "by state")
        try equal(try await ids { $0.id = ready.id }, [ready.id], "by id")
        try equal(
            try await ids {
                $0.id = ready.id
                $0.state.state = .sandboxNotready
            }, [], "by id and state")
    },
    Case(
        "identity.stream-containers", "StreamContainers gives each container of ListContainers once",
        source: "api.proto StreamContainers",
        proves: ["StreamContainers", "StreamContainersRequest.filter.label_selector"]
    ) { trial in
        let pod = try await trial.pod()
        for _ in 0..<3 { _ = try await trial.create(trial.containerConfig(), in: pod) }
        let listed = try await trial.call(CRIMethods.listContainers, .with { $0.filter.podSandboxID = pod.id })
        let streamed = try await trial.collect(CRIMethods.streamContainers, .with { $0.filter.podSandboxID = pod.id })
        try equal(streamed.flatMap(\.containers).map(\.id).sorted(), listed.containers.map(\.id).sorted(), "ids")
    },
    Case(
        "identity.stream-pods", "StreamPodSandboxes gives each pod of ListPodSandbox once",
        source: "api.proto StreamPodSandboxes",
        proves: ["StreamPodSandboxes", "StreamPodSandboxesRequest.filter.label_selector"]
    ) { trial in
        let pod = try await trial.pod()
        let streamed = try await trial.collect(
            CRIMethods.streamPodSandboxes, .with { $0.filter.labelSelector = ["io.kubernetes.pod.uid": trial.mark] })
        try equal(streamed.flatMap(\.podSandboxes).map(\.id), [pod.id], "ids")
    },
]
