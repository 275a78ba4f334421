import CRIProto
import Foundation
import GRPC
import SwiftProtobuf

/// What a kubelet asks of a runtime beside the sync of pods, in the order of its source; each step names the file.
let kubeletNodeCases: [Case] = [
    Case(
        "kubelet.node-start", "A node comes up: the calls of a kubelet's start, each answered as it needs",
        source: "kubelet kubelet.go Run",
        proves: [
            "Version", "RuntimeConfig", "Status", "UpdateRuntimeConfig", "ImageFsInfo", "ListImages", "ListPodSandbox",
            "ListContainers",
        ], isAlone: true
    ) { trial in
        // kuberuntime_manager.go NewKubeGenericRuntimeManager: the version, with the API's own beside it.
        let version = try await trial.call(CRIMethods.version, .with { $0.version = "0.1.0" })
        try equal(version.runtimeApiVersion, "v1", "runtime_api_version")
        try expect(!version.runtimeName.isEmpty && !version.runtimeVersion.isEmpty, "no name or version in \(version)")
        // cmd/kubelet/app/server.go getCgroupDriverFromCRI: the driver that the kubelet then uses itself.
        let driver = try await trial.call(CRIMethods.runtimeConfig, .init()).linux.cgroupDriver
        try expect([.systemd, .cgroupfs].contains(driver), "cgroup_driver \(driver)")
        // stats/cri_stats_provider.go ImageFsInfo: kubelets divide by what this says.
        let files = try await trial.call(CRIMethods.imageFsInfo, .init())
        for entry in files.imageFilesystems + files.containerFilesystems {
            try expect(!entry.fsID.mountpoint.isEmpty && entry.timestamp > 0, "file system \(entry)")
        }
        try expect(!files.imageFilesystems.isEmpty, "no file system of images")
        // kubelet.go updateRuntimeUp: not ready as long as one of the two is missing or false.
        let status = try await trial.call(CRIMethods.status, .init())
        for type in ["RuntimeReady", "NetworkReady"] {
            try equal(status.status.conditions.filter { $0.type == type }.map(\.status), [true], type)
        }
        try expect(status.runtimeHandlers.contains { $0.name.isEmpty }, "no default among the runtime handlers")
        // kubelet_network.go updatePodCIDR: tells the runtime of the node's range.
        try await trial.call(
            CRIMethods.updateRuntimeConfig, .with { $0.runtimeConfig.networkConfig.podCidr = "10.88.0.0/16" })
        // pleg/generic.go Relist and images/image_gc_manager.go detectImages, for the first time.
        _ = try await trial.call(CRIMethods.listPodSandbox, .init())
        _ = try await trial.call(CRIMethods.listContainers, .init())
        try expect(!(try await trial.call(CRIMethods.listImages, .init()).images.isEmpty), "no images")
    },
    Case(
        "kubelet.sidecar",
        "A restartable init container starts first and runs beside the others; it is restarted, and ends last",
        source: "kubelet kuberuntime_manager.go computeInitContainerActions",
        proves: ["CreateContainer", "StartContainer", "ContainerStatus", "StopContainer", "ExecSync"]
    ) { trial in
        let pod = try await trial.pod()
        var config = trial.containerConfig()
        config.metadata.attempt = 0
        // kuberuntime_container.go computeInitContainerActions: started, and its startup probe awaited (prober/prober.go).
        let sidecar = try await trial.create(config, in: pod)
        try await trial.start(sidecar)
        try equal(try await trial.exec(["true"], in: sidecar).exitCode, 0, "startup probe")
        let main = try await trial.start(in: pod)
        // It dies; the main container is not touched, and the next attempt has its name.
        try await trial.stop(sidecar)
        config.metadata.attempt = 1
        let again = try await trial.create(config, in: pod)
        try await trial.start(again)
        try equal(try await trial.status(main).state, .containerRunning, "state of the main container")
        // kuberuntime_termination_order.go: the main container first, the sidecar after it.
        try await trial.stop(main, timeout: 10)
        try equal(try await trial.status(again).state, .containerRunning, "state of the sidecar")
        try await trial.stop(again, timeout: 10)
        let (first, last) = (try await trial.status(main), try await trial.status(again))
        try expect(first.finishedAt <= last.finishedAt, "finished \(first.finishedAt) and \(last.finishedAt)")
    },
    Case(
        "kubelet.resize", "A running container is resized in place, and its status shows what it has then",
        source: "kubelet kuberuntime_manager.go doPodResizeAction",
        proves: ["UpdateContainerResources", "UpdatePodSandboxResources", "ContainerStatus"]
    ) { trial in
        try Host.needs("cpu")
        let container = try await trial.running {
            $0.linux.resources.cpuPeriod = 100_000
            $0.linux.resources.cpuQuota = 20_000
            $0.linux.resources.cpuShares = 204
        }
        // kuberuntime_sandbox.go updatePodSandboxResources, beside the kubelet's own write to the pod's cgroup.
        let answer = try await trial.status(
            of: CRIMethods.updatePodSandboxResources,
            .with {
                $0.podSandboxID = container.pod.id
                $0.overhead = .init()
                $0.resources.cpuQuota = 50_000
            })
        try equal(answer.code, .ok, "UpdatePodSandboxResources")
        // kuberuntime_container.go updateContainerResources.
        try await trial.call(
            CRIMethods.updateContainerResources,
            .with {
                $0.containerID = container.id
                $0.linux.cpuPeriod = 100_000
                $0.linux.cpuQuota = 50_000
                $0.linux.cpuShares = 512
            })
        // kuberuntime_container.go toKubeContainerStatus: the resources that are reported as the pod's.
        let resources = try await trial.status(container).resources.linux
        try equal(resources.cpuQuota, 50_000, "cpu_quota")
        try equal(resources.cpuShares, 512, "cpu_shares")
        try equal(try await trial.status(container).state, .containerRunning, "state")
    },
    Case(
        "kubelet.image-collection",
        "Images in use are told by the ids of containers and of images; one that is not goes, and comes back",
        source: "kubelet images/image_gc_manager.go freeSpace",
        proves: ["ListImages", "ListContainers", "RemoveImage", "ImageStatus", "PullImage"], isAlone: true
    ) { trial in
        let other = trial.subject.settings.unusedImage
        try await trial.call(CRIMethods.pullImage, .with { $0.image.image = other }, timeout: .seconds(120))
        let container = try await trial.running()
        // image_gc_manager.go detectImages: an image is in use if its id is the image_id of some container.
        let images = try await trial.call(CRIMethods.listImages, .init()).images
        let used = Set(try await trial.call(CRIMethods.listContainers, .init()).containers.map(\.imageID))
        let own = try await trial.call(
            CRIMethods.imageStatus, .with { $0.image.image = trial.subject.settings.image }
        ).image
        try expect(used.contains(own.id), "image_id of containers \(used) is not the id \(own.id)")
        let unused = try await trial.call(CRIMethods.imageStatus, .with { $0.image.image = other }).image
        try expect(images.contains { $0.id == unused.id }, "not listed: \(unused.id)")
        try expect(!used.contains(unused.id), "in use: \(unused.id)")
        // image_gc_manager.go freeImage: by id.
        try await trial.call(CRIMethods.removeImage, .with { $0.image.image = unused.id })
        let gone = try await trial.call(CRIMethods.imageStatus, .with { $0.image.image = other })
        try expect(!gone.hasImage, "still there: \(gone.image)")
        try equal(try await trial.status(container).state, .containerRunning, "state")
        // images/image_manager.go EnsureImageExists, when a pod needs it again.
        try await trial.call(CRIMethods.pullImage, .with { $0.image.image = other }, timeout: .seconds(120))
    },
    Case(
        "kubelet.stats", "The statistics of a node's pods fit together with its lists",
        source: "kubelet stats/cri_stats_provider.go listPodStatsStrictlyFromCRI",
        proves: ["ListPodSandboxStats", "ListContainers", "ListPodSandbox", "ImageFsInfo"]
    ) { trial in
        let container = try await trial.running()
        // cri_stats_provider.go: containers and sandboxes by id, then the statistics of all pods at once.
        let containers = try await trial.call(
            CRIMethods.listContainers, .with { $0.filter.podSandboxID = container.pod.id }
        ).containers
        try equal(containers.map(\.id), [container.id], "containers")
        let stats = try await trial.call(CRIMethods.listPodSandboxStats, .init()).stats
            .filter { $0.attributes.id == container.pod.id }
        try equal(stats.count, 1, "statistics of the pod")
        let own = stats[0].linux
        try equal(own.containers.map(\.attributes.id), [container.id], "containers of the statistics")
        try expect(own.hasCpu && own.cpu.timestamp > 0, "cpu \(own.cpu)")
        // addCRIPodNetworkStats: the default interface by itself.
        try expect(!own.network.defaultInterface.name.isEmpty, "no default interface")
        // makeContainerStats: the writable layer's file system is one of ImageFsInfo's.
        try await trial.eventually("the writable layer is measured") {
            let answer = try await trial.call(CRIMethods.containerStats, .with { $0.containerID = container.id })
            return answer.stats.hasWritableLayer && !answer.stats.writableLayer.fsID.mountpoint.isEmpty
        }
    },
    Case(
        "kubelet.streamed-lists", "Streamed lists have what the lists have",
        source: "kubelet cri-client/pkg/remote_runtime.go",
        proves: ["StreamPodSandboxes", "StreamContainers", "StreamImages"]
    ) { trial in
        let container = try await trial.running()
        let pods = try await trial.collect(
            CRIMethods.streamPodSandboxes, .with { $0.filter.labelSelector = ["io.kubernetes.pod.uid": trial.mark] })
        try equal(pods.flatMap(\.podSandboxes).map(\.id), [container.pod.id], "sandboxes")
        let containers = try await trial.collect(
            CRIMethods.streamContainers, .with { $0.filter.labelSelector = ["io.kubernetes.pod.uid": trial.mark] })
        try equal(containers.flatMap(\.containers).map(\.id), [container.id], "containers")
        let images = try await trial.collect(CRIMethods.streamImages, .init()).flatMap(\.images).map(\.id)
        try expect(!images.isEmpty && Set(images).count == images.count, "images \(images)")
    },
]
