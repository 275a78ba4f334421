import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import Synchronization
import TestFakes
import Testing

/// What statuses say: the fields that the kubelet and critest read.
@Suite struct StatusTests {
    @Test("the four fields of Version are not empty; the versions are semantic")
    func version() async throws {
        try await Fixture.run { fixture in
            let version: Runtime_V1_VersionResponse = try await fixture.send(CRIMethods.version)
            #expect(version.version == "0.1.0")
            #expect(version.runtimeName == "swiftlet")
            #expect(version.runtimeVersion == "1.2.3")
            #expect(version.runtimeApiVersion == "v1")
        }
    }

    @Test("Status has both conditions, the default handler, and the state directory where it is verbose")
    func status() async throws {
        try await Fixture.run { fixture in
            var status: Runtime_V1_StatusResponse = try await fixture.send(CRIMethods.status)
            #expect(status.status.conditions.map(\.type) == ["RuntimeReady", "NetworkReady"])
            #expect(status.status.conditions.allSatisfy { $0.status })
            #expect(status.runtimeHandlers.map(\.name) == [""])
            #expect(status.info.isEmpty)
            fixture.node.state.withLock { $0.networkUnready = "no configuration" }
            status = try await fixture.send(CRIMethods.status) { $0.verbose = true }
            let network = try #require(status.status.conditions.last)
            #expect(!network.status)
            #expect(network.reason == "NetworkPluginNotReady")
            #expect(network.message == "no configuration")
            let config = try #require(status.info["config"])
            let object = try #require(try JSONSerialization.jsonObject(with: Data(config.utf8)) as? [String: String])
            #expect(object["stateDir"] == "/run/swiftlet")
            let runtime: Runtime_V1_RuntimeConfigResponse = try await fixture.send(CRIMethods.runtimeConfig)
            #expect(runtime.linux.cgroupDriver == .cgroupfs)
        }
    }

    @Test("a pod's status has its name, address, namespaces, labels and annotations")
    func podStatus() async throws {
        try await Fixture.run { fixture in
            let id = try await fixture.runPod(["config": Requests.fullPod])
            let status = try await fixture.send(CRIMethods.podSandboxStatus) { $0.podSandboxID = id }.status
            #expect(status.id == id)
            #expect(
                status.metadata.name == "web" && status.metadata.uid == "u-1" && status.metadata.namespace == "default")
            #expect(status.metadata.attempt == 1)
            #expect(status.state == .sandboxReady)
            #expect(status.createdAt > 0)
            #expect(status.network.ip == "10.0.0.2")
            #expect(status.network.additionalIps.map(\.ip) == ["fd00::2"])
            #expect(status.linux.namespaces.options.pid == .pod)
            #expect(status.labels == ["app": "web"])
            #expect(status.annotations == ["note": "text"])
            #expect(status.runtimeHandler == "")
            #expect(try await fixture.call("StopPodSandbox", ["pod_sandbox_id": .string(id)]).isOK)
            let stopped = try await fixture.send(CRIMethods.podSandboxStatus) { $0.podSandboxID = id }.status
            #expect(stopped.state == .sandboxNotready)
        }
    }

    @Test("a pod on the node's network has no address of its own")
    func hostNetwork() async throws {
        try await Fixture.run { fixture in
            let id = try await fixture.runPod(
                Requests.pod.with("config.linux.security_context.namespace_options.network", 2))
            let status = try await fixture.send(CRIMethods.podSandboxStatus) { $0.podSandboxID = id }.status
            #expect(status.network.ip.isEmpty && status.network.additionalIps.isEmpty)
            #expect(status.linux.namespaces.options.network == .node)
        }
    }

    @Test("a container's status has just the mounts of its request, its limits, user, signal and image")
    func containerStatus() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            let target = try await fixture.container(in: pod, named: "target", start: true)
            let outcome = try await fixture.call(
                "CreateContainer",
                ["pod_sandbox_id": .string(pod), "config": Requests.fullContainer.replacing(["$TARGET": target])])
            try #require(outcome.isOK, "\(outcome.message)")
            let id = try Runtime_V1_CreateContainerResponse(jsonString: outcome.response).containerID
            var status = try await fixture.send(CRIMethods.containerStatus) { $0.containerID = id }.status
            #expect(status.state == .containerCreated)
            #expect(status.createdAt > 0 && status.startedAt == 0 && status.finishedAt == 0)
            #expect(status.mounts.count == 1, "not those of the runtime, nor volumes of the image")
            let mount = try #require(status.mounts.first)
            #expect(mount.containerPath == "/mnt" && mount.hostPath == "/srv/volume" && mount.readonly)
            #expect(mount.propagation == .propagationHostToContainer)
            #expect(
                status.resources.linux == (try Runtime_V1_LinuxContainerResources(jsonString: Requests.resources.text)))
            #expect(status.user.linux.uid == 1000 && status.user.linux.gid == 1000)
            #expect(status.user.linux.supplementalGroups == [2000])
            #expect(status.stopSignal == .sigint)
            #expect(status.image.image == "busybox")
            #expect(status.imageID == FakeImageService.id)
            #expect(!status.imageRef.isEmpty)
            #expect(status.logPath == "/var/log/pods/web/main/0.log")
            #expect(status.labels == ["app": "web"] && status.annotations == ["note": "text"])
            let listed = try #require(
                try await fixture.send(CRIMethods.listContainers) { $0.filter.id = id }.containers.first)
            #expect(listed.imageID == status.imageID)
            #expect(listed.podSandboxID == pod)

            #expect(try await fixture.call("StartContainer", ["container_id": .string(id)]).isOK)
            status = try await fixture.send(CRIMethods.containerStatus) { $0.containerID = id }.status
            #expect(status.state == .containerRunning && status.startedAt > 0 && status.finishedAt == 0)
            #expect(try await fixture.call("StopContainer", ["container_id": .string(id)]).isOK)
            status = try await fixture.send(CRIMethods.containerStatus) { $0.containerID = id }.status
            #expect(status.state == .containerExited && status.finishedAt >= status.startedAt)
            #expect(status.exitCode == 137 && status.reason == "Error")
        }
    }

    @Test("a container that ran its course, and one that the kernel killed, say so")
    func reasons() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            for (name, code, kills, reason) in [
                ("done", Int32(0), UInt64(0), "Completed"), ("failed", 3, 0, "Error"), ("memory", 137, 1, "OOMKilled"),
            ] {
                let id = try await fixture.container(in: pod, named: name, start: true)
                let podID = try #require(fixture.node.state.withLock { $0.supervisors.keys.first })
                await fixture.node.end(podID, process: id, code: code, oomKills: kills)
                let status = try await fixture.send(CRIMethods.containerStatus) { $0.containerID = id }.status
                #expect(status.exitCode == code)
                #expect(status.reason == reason)
            }
        }
    }

    @Test("verbose answers carry the record, the description and the plan; others carry none")
    func verbose() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            let id = try await fixture.container(in: pod, start: true)
            let plain = try await fixture.send(CRIMethods.containerStatus) { $0.containerID = id }
            #expect(plain.info.isEmpty)
            let verbose = try await fixture.send(CRIMethods.containerStatus) {
                $0.containerID = id
                $0.verbose = true
            }
            #expect(Set(verbose.info.keys) == ["record", "pid", "runtimeSpec", "plan"])
            for name in ["record", "runtimeSpec", "plan"] {
                _ = try JSONSerialization.jsonObject(with: Data(try #require(verbose.info[name]).utf8))
            }
            let podInfo = try await fixture.send(CRIMethods.podSandboxStatus) {
                $0.podSandboxID = pod
                $0.verbose = true
            }.info
            #expect(podInfo["record"] != nil)
        }
    }

    @Test("resources that are changed show at once")
    func resize() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            let id = try await fixture.container(in: pod, start: true)
            #expect(
                try await fixture.call(
                    "UpdateContainerResources",
                    ["container_id": .string(id), "linux": ["memory_limit_in_bytes": 33_554_432]]
                ).isOK)
            #expect(
                try await fixture.call(
                    "UpdateContainerResources", ["container_id": .string(id), "linux": ["cpu_shares": 100]]
                ).isOK)
            let limits = try await fixture.send(CRIMethods.containerStatus) { $0.containerID = id }.status.resources
                .linux
            #expect(limits.memoryLimitInBytes == 33_554_432, "what a change does not name stays")
            #expect(limits.cpuShares == 100)
        }
    }

    @Test("an image has id, size and user; one that is absent is no error; its id is the same everywhere")
    func images() async throws {
        try await Fixture.run { fixture in
            let absent = try await fixture.send(CRIMethods.imageStatus) { $0.image.image = "absent" }
            #expect(!absent.hasImage)
            let pulled = try await fixture.send(CRIMethods.pullImage) {
                $0.image.image = "docker.io/library/busybox:latest"
            }
            let found = try await fixture.send(CRIMethods.imageStatus) {
                $0.image.image = "docker.io/library/busybox:latest"
                $0.verbose = true
            }
            #expect(found.image.id == pulled.imageRef)
            #expect(found.image.size > 0)
            #expect(found.image.uid.value == 1000 && found.image.username.isEmpty)
            #expect(found.image.pinned)
            #expect(found.info["config"] != nil)
            let plain = try await fixture.send(CRIMethods.imageStatus) { $0.image.image = found.image.id }
            #expect(plain.image == found.image && plain.info.isEmpty)
            for _ in 0..<2 {
                #expect(try await fixture.call("RemoveImage", ["image": ["image": .string(found.image.id)]]).isOK)
            }
            #expect(try await fixture.send(CRIMethods.listImages).images.map(\.id) == [FakeImageService.otherID])
            let usage = try await fixture.send(CRIMethods.imageFsInfo)
            #expect(usage.imageFilesystems.map(\.usedBytes.value) == [10])
            #expect(usage.containerFilesystems.map(\.fsID.mountpoint) == ["/root/containers"])
            #expect(usage.imageFilesystems.allSatisfy { $0.timestamp > 0 })
        }
    }
}
