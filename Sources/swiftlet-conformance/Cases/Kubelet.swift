import CRIProto
import SwiftProtobuf
import GRPC
import Foundation

/// The calls of a kubelet in the order of its source; each step names the file.
let kubeletCases: [Case] = [
    Case(
        "kubelet.pod-with-init-containers",
        "A pod with init containers comes up: one after the other, each to its end, then the containers",
        source: "kubelet kuberuntime_manager.go SyncPod",
        proves: [
            "RunPodSandbox", "PodSandboxStatus", "CreateContainer", "StartContainer", "ContainerStatus",
            "ListContainers",
        ]
    ) { trial in
        // kuberuntime_manager.go SyncPod step 4: the sandbox, then its status for the addresses of the pod.
        let pod = try await trial.pod()
        try expect(!(try await trial.podStatus(pod).network.ip.isEmpty), "no ip")
        // kubelet_pods.go makePodDataDirs: a volume that all containers share.
        let volume = trial.directory + "/shared"
        try FileManager.default.createDirectory(atPath: volume, withIntermediateDirectories: true)
        let mount = Runtime_V1_Mount.with {
            $0.hostPath = volume
            $0.containerPath = "/shared"
        }
        // Step 6: the next init container starts when the last one has exited with 0.
        for number in 1...2 {
            // images/image_manager.go EnsureImageExists before kuberuntime_container.go startContainer.
            try await trial.call(CRIMethods.imageStatus, .with { $0.image.image = trial.subject.settings.image })
            let container = try await trial.run("echo init \(number) >> /shared/order", in: pod) { $0.mounts = [mount] }
            try equal(try await trial.status(container).exitCode, 0, "exit code of init container \(number)")
        }
        // Step 7: the containers.
        let main = try await trial.start(
            ["sh", "-c", "cat /shared/order; trap 'exit 0' TERM; while :; do usleep 20000; done"], in: pod
        ) { $0.mounts = [mount] }
        let records = try await trial.log(main) { $0.count >= 2 }
        try equal(records.map(\.text), ["init 1", "init 2"], "what the main container sees")
        // pleg/generic.go relist: both lists, then the status of what changed.
        let listed = try await trial.call(CRIMethods.listContainers, .with { $0.filter.podSandboxID = pod.id })
            .containers
        try equal(listed.count { $0.state == .containerExited }, 2, "exited containers")
        try equal(listed.count { $0.state == .containerRunning }, 1, "running containers")
    },
    Case(
        "kubelet.probe", "A probe by ExecSync sees success, failure and a timeout, and the container goes on",
        source: "kubelet prober/prober.go",
        proves: ["ExecSync", "ExecSyncRequest.timeout"]
    ) { trial in
        let container = try await trial.running()
        for round in 0..<3 {
            try equal(
                try await trial.exec(["sh", "-c", "exit 0"], in: container, timeout: 5).exitCode, 0, "probe \(round)")
            try equal(
                try await trial.exec(["sh", "-c", "exit 1"], in: container, timeout: 5).exitCode, 1, "probe \(round)")
        }
        try await trial.refused(
            CRIMethods.execSync,
            .with {
                $0.containerID = container.id
                $0.cmd = ["sleep", "600"]
                $0.timeout = 1
            }, as: .deadlineExceeded)
        try equal(try await trial.status(container).state, .containerRunning, "state")
    },
    Case(
        "kubelet.stop-hook", "A pod ends: stop hook, StopContainer with the rest of the grace, StopPodSandbox",
        source: "kubelet kuberuntime_container.go killContainer",
        proves: ["ExecSync", "StopContainer", "StopPodSandbox", "StopContainerRequest.timeout"]
    ) { trial in
        let container = try await trial.running([
            "sh", "-c", "trap 'test -e /tmp/hooked && exit 3; exit 4' TERM; echo up; while :; do usleep 20000; done",
        ])
        _ = try await trial.log(container) { !$0.isEmpty }
        // kuberuntime_container.go executePreStopHook, then killContainer.
        _ = try await trial.sh("touch /tmp/hooked", in: container)
        try await trial.stop(container, timeout: 30)
        try equal(try await trial.status(container).exitCode, 3, "exit code")
        // kuberuntime_manager.go killPodWithSyncResult: the sandbox last.
        try await trial.stop(container.pod)
        try equal(try await trial.podStatus(container.pod).state, .sandboxNotready, "state of the pod")
    },
    Case(
        "kubelet.restart",
        "A container that failed is made again under its name with the next attempt; the old one stays for its log",
        source: "kubelet kuberuntime_container.go startContainer",
        proves: ["CreateContainer", "CreateContainerRequest.config.metadata.attempt"]
    ) { trial in
        let pod = try await trial.pod()
        var config = trial.containerConfig(["sh", "-c", "echo attempt; exit 1"])
        var made: [String] = []
        for attempt in UInt32(0)..<3 {
            config.metadata.attempt = attempt
            config.logPath = "restarted/\(attempt).log"
            try FileManager.default.createDirectory(
                atPath: pod.config.logDirectory + "/restarted", withIntermediateDirectories: true)
            let container = try await trial.create(config, in: pod)
            try await trial.start(container)
            try equal(try await trial.ended(container).exitCode, 1, "exit code")
            _ = try await trial.log(container) { $0.map(\.text) == ["attempt"] }
            made.append(container.id)
        }
        let listed = try await trial.call(CRIMethods.listContainers, .with { $0.filter.podSandboxID = pod.id })
            .containers
        try equal(Set(listed.map(\.id)), Set(made), "containers")
        try equal(Set(listed.map(\.metadata.attempt)), [0, 1, 2], "attempts")
    },
    Case(
        "kubelet.garbage-collection",
        "Dead containers go oldest first, then the dead sandbox; nothing of the pod is listed",
        source: "kubelet kuberuntime_gc.go",
        proves: ["RemoveContainer", "StopPodSandbox", "RemovePodSandbox", "ListContainers", "ListPodSandbox"]
    ) { trial in
        let pod = try await trial.pod()
        for _ in 0..<2 { _ = try await trial.run("exit 1", in: pod) }
        try await trial.stop(pod)
        // kuberuntime_gc.go evictContainers: by time of creation, those that do not run.
        let dead = try await trial.call(
            CRIMethods.listContainers,
            .with {
                $0.filter.labelSelector = ["io.kubernetes.pod.uid": trial.mark]
                $0.filter.state.state = .containerExited
            }
        ).containers.sorted { $0.createdAt < $1.createdAt }
        try equal(dead.count, 2, "dead containers")
        for container in dead {
            // kuberuntime_container.go removeContainer; the log's removal is the kubelet's own.
            try await trial.call(CRIMethods.removeContainer, .with { $0.containerID = container.id })
        }
        // kuberuntime_gc.go removeSandbox: StopPodSandbox once more, then RemovePodSandbox.
        try await trial.stop(pod)
        try await trial.remove(pod)
        let pods = try await trial.call(
            CRIMethods.listPodSandbox, .with { $0.filter.labelSelector = ["io.kubernetes.pod.uid": trial.mark] })
        try equal(pods.items.count, 0, "pods")
    },
]
