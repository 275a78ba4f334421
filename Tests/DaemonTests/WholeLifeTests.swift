import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct WholeLife {}
}

extension WholeDaemon.WholeLife {
    @Test func `a tag and the digest it names are one image`() async throws {
        let node = try Node.current
        let byTag = try await node.pull(Node.busybox)
        let image = try await node.call(CRIMethods.imageStatus, .with { $0.image.image = Node.busybox }).image
        #expect(image.id == byTag)
        #expect(image.size > 0)
        let digest = try #require(image.repoDigests.first)
        #expect(try await node.pull(digest) == byTag)
        #expect(try await node.call(CRIMethods.listImages, .init()).images.contains { $0.id == byTag })
        #expect(
            try await node.call(CRIMethods.imageStatus, .with { $0.image.image = "docker.io/no/such" }).hasImage
                == false)
    }

    @Test func `a pod has the address that its status shows`() async throws {
        try await Node.current.withPod("address") { pod in
            let status = try await pod.status()
            #expect(status.state == .sandboxReady)
            #expect(status.createdAt > 0)
            #expect(status.metadata == pod.config.metadata)
            #expect(status.labels == pod.config.labels)
            #expect(status.annotations == pod.config.annotations)
            let container = try await pod.start()
            #expect(try await container.sh("ip -4 -o addr show eth0").contains(" \(status.network.ip)/"))
            #expect(try await container.sh("ip -4 -o addr show lo").contains("127.0.0.1/8"))
            // The node's end of the bridge answers.
            try await container.exec("ping", "-c", "1", "-W", "5", "10.88.0.1")
        }
    }

    @Test func `a container goes through created, running and exited`() async throws {
        try await Node.current.withPod("states") { pod in
            let config = pod.containerConfig([
                "sh", "-c", "trap 'exit 7' TERM; echo out; echo err >&2; while :; do usleep 50000; done",
            ])
            let container = try await pod.create(config)
            var status = try await container.status()
            #expect(status.state == .containerCreated)
            #expect(status.createdAt > 0 && status.startedAt == 0 && status.finishedAt == 0)
            try await container.start()
            status = try await container.status()
            #expect(status.state == .containerRunning)
            #expect(status.startedAt >= status.createdAt && status.finishedAt == 0)
            #expect(status.metadata == config.metadata)
            #expect(status.image.image == Node.busybox)
            #expect(!status.imageRef.isEmpty && status.imageID.hasPrefix("sha256:"))
            #expect(status.logPath == container.logPath)
            try await container.logged("err")
            try await container.logged("out")
            try await container.stop(timeout: 30)
            status = try await container.status()
            #expect(status.state == .containerExited)
            #expect(status.exitCode == 7)
            #expect(status.reason == "Error")
            #expect(status.finishedAt >= status.startedAt)
            let log = try container.log()
            #expect(Set(log.map { "\($0.stream) \($0.tag) \($0.text)" }) == ["stdout F out", "stderr F err"])
            try await container.remove()
            #expect(FileManager.default.fileExists(atPath: container.logPath), "the kubelet removes logs")
            #expect(
                try await pod.node.refusal(of: CRIMethods.containerStatus, .with { $0.containerID = container.id }).code
                    == .notFound)
            // A second time is success.
            try await container.stop()
            try await container.remove()
        }
    }

    @Test func `a container that ignores its stop signal is killed when the time is up`() async throws {
        try await Node.current.withPod("escalation") { pod in
            let container = try await pod.start([
                "sh", "-c", "trap 'echo heard' TERM; echo up; while :; do usleep 50000; done",
            ])
            try await container.logged("up")
            try await container.stop(timeout: 1)
            let status = try await container.status()
            #expect(status.exitCode == 137)
            #expect(status.reason == "Error")
            #expect(try container.log().contains { $0.text == "heard" })
        }
    }

    @Test func `a stop without time kills everything in the container`() async throws {
        try await Node.current.withPod("kill") { pod in
            let container = try await pod.start([
                "sh", "-c", "trap '' TERM; sleep 1000 & setsid sleep 1000 & echo up; wait",
            ])
            try await container.logged("up")
            try await container.stop(timeout: 0)
            #expect(try await container.status().exitCode == 137)
            #expect(pod.node.processes(named: "sleep").isEmpty)
        }
    }

    @Test func `lists are filtered by every field of a filter together`() async throws {
        let node = try Node.current
        try await node.withPod("filters") { pod in
            let running = try await pod.start()
            let created = try await pod.create(pod.containerConfig { $0.labels["extra"] = "yes" })
            func pods(_ filter: Runtime_V1_PodSandboxFilter) async throws -> [String] {
                try await node.call(CRIMethods.listPodSandbox, .with { $0.filter = filter }).items.map(\.id)
            }
            func containers(_ filter: Runtime_V1_ContainerFilter) async throws -> Set<String> {
                Set(try await node.call(CRIMethods.listContainers, .with { $0.filter = filter }).containers.map(\.id))
            }
            #expect(try await pods(.with { $0.id = String(pod.id.prefix(12)) }) == [pod.id])
            #expect(try await pods(.with { $0.labelSelector = pod.config.labels }) == [pod.id])
            #expect(try await pods(.with { $0.labelSelector = ["app": "other"] }) == [])
            #expect(try await pods(.with { $0.state.state = .sandboxNotready }) == [])
            #expect(try await pods(.with { $0.id = "ffffffff" }) == [])
            let both: Set = [running.id, created.id]
            #expect(try await containers(.with { $0.podSandboxID = pod.id }) == both)
            #expect(
                try await containers(
                    .with {
                        $0.podSandboxID = pod.id; $0.state.state = .containerRunning
                    }) == [running.id])
            #expect(try await containers(.with { $0.labelSelector = ["extra": "yes"] }) == [created.id])
            #expect(
                try await containers(
                    .with {
                        $0.id = running.id; $0.state.state = .containerCreated
                    }) == [])
        }
    }

    @Test func `the same request again gives the same objects`() async throws {
        let node = try Node.current
        try await node.withPod("again") { pod in
            #expect(try await node.runPod(pod.config).id == pod.id)
            let config = pod.containerConfig()
            let container = try await pod.create(config)
            #expect(try await pod.create(config).id == container.id)
        }
    }

    @Test func `a pod's stop ends its containers and a removed pod is unknown`() async throws {
        let node = try Node.current
        try await node.withPod("stop") { pod in
            let container = try await pod.start()
            try await pod.stop()
            #expect(try await pod.status().state == .sandboxNotready)
            #expect(try await container.status().state == .containerExited)
            #expect(node.addressesInUse().isEmpty)
            try await pod.stop()
            try await pod.remove()
            let status = try await node.refusal(of: CRIMethods.podSandboxStatus, .with { $0.podSandboxID = pod.id })
            #expect(status.code == .notFound)
        }
    }

    @Test func `an image of 127 layers runs and one of 128 is refused with a sentence`() async throws {
        let node = try Node.current
        try await node.withPod("layers") { pod in
            let container = try await pod.start(image: "docker.io/swiftlet/layers:127")
            #expect(try await container.exec("cat", "/layers/last") == "127")
            #expect(try await container.sh("ls /layers | wc -l") == "127")
            let refused = try await node.refusal(
                of: CRIMethods.pullImage, .with { $0.image.image = "docker.io/swiftlet/layers:128" })
            #expect(refused.code != .ok)
            #expect(refused.message.contains("127"), "\(refused)")
        }
    }
}

extension Node {
    /// Processes of the node by their name, by the numbers that it gives them.
    func processes(named name: String) -> [Int32] {
        let proc = path("/proc")
        return Processes.all(in: proc).filter {
            Processes.name($0, in: proc) == name && !Processes.isZombie($0, in: proc)
        }
    }
}
