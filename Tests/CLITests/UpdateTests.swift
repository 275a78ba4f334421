import CRIProto
import SwiftProtobuf
import Synchronization
import Testing

@testable import swiftlet

@Suite struct UpdateTests {
    @Test("update sends the limits that were given and no others")
    func update() async throws {
        try await FakeRuntime.with { runtime in
            let id = runtime.addContainer("a", in: runtime.addPod("p"))
            let result = await runtime.swiftlet("update", "--memory", "64Mi", "--cpu-share", "512", "0002")
            #expect((result.status, result.out) == (0, id + "\n"))
            let request = runtime.world.state.withLock {
                $0.requests["UpdateContainerResources"] as? Runtime_V1_UpdateContainerResourcesRequest
            }
            #expect(request?.containerID == id)
            #expect(
                request?.linux
                    == .with {
                        $0.memoryLimitInBytes = 64 << 20
                        $0.cpuShares = 512
                    })
        }
    }

    @Test("no quota is a number below zero")
    func noQuota() async throws {
        try await FakeRuntime.with { runtime in
            runtime.addContainer("a", in: runtime.addPod("p"))
            let result = await runtime.swiftlet("update", "--cpu-quota", "-1", "--oom-score-adj", "-5", "0002")
            #expect(result.status == 0, "\(result.err)")
            let request = runtime.world.state.withLock {
                $0.requests["UpdateContainerResources"] as? Runtime_V1_UpdateContainerResourcesRequest
            }
            #expect(request?.linux.cpuQuota == -1 && request?.linux.oomScoreAdj == -5)
        }
    }

    @Test(
        "an update without limits, or with one that is no number, is a usage error",
        arguments: [[], ["--memory", "x"]])
    func bad(options: [String]) async throws {
        try await FakeRuntime.with { runtime in
            runtime.addContainer("a", in: runtime.addPod("p"))
            #expect((await runtime.swiftlet(["update", "0002"] + options)).status == 2)
            #expect(!runtime.calls.contains("UpdateContainerResources"))
        }
    }

    @Test("a checkpoint is asked for with its archive")
    func checkpoint() async throws {
        try await FakeRuntime.with { runtime in
            let id = runtime.addContainer("a", in: runtime.addPod("p"))
            #expect((await runtime.swiftlet("checkpoint", "--export", "/x.tar", "0002")).out == id + "\n")
            let request = runtime.world.state.withLock {
                $0.requests["CheckpointContainer"] as? Runtime_V1_CheckpointContainerRequest
            }
            #expect(
                request
                    == .with {
                        $0.containerID = id; $0.location = "/x.tar"
                    })
        }
    }

    @Test("the pods' address range reaches the runtime")
    func podCIDR() async throws {
        try await FakeRuntime.with { runtime in
            #expect((await runtime.swiftlet("update-runtime-config", "--pod-cidr", "10.1.0.0/16")).status == 0)
            let request = runtime.world.state.withLock {
                $0.requests["UpdateRuntimeConfig"] as? Runtime_V1_UpdateRuntimeConfigRequest
            }
            #expect(request?.runtimeConfig.networkConfig.podCidr == "10.1.0.0/16")
        }
    }

    @Test("ps names the pod of a container without the kubelet's labels")
    func unlabelled() async throws {
        try await FakeRuntime.with { runtime in
            let id = runtime.addContainer("a", in: runtime.addPod("lonely", namespace: "corner"))
            runtime.world.state.withLock { $0.containers[id]?.status.labels = [:] }
            let all = await runtime.swiftlet("ps")
            #expect(all.out.contains("lonely") && all.out.contains("corner") && !all.out.contains("unknown"))
            #expect((await runtime.swiftlet("ps", "-q", "--namespace", "corner")).out == id + "\n")
            #expect((await runtime.swiftlet("ps", "-q", "--namespace", "default")).out == "")
        }
    }
}
