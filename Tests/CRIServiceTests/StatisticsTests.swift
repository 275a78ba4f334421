import CRIProto
import CRIService
import Cgroups
import Foundation
import GRPC
import SwiftProtobuf
import Synchronization
import TestFakes
import Testing

/// Statistics: the formulas, what is absent, and who is in the lists.
@Suite struct StatisticsTests {
    @Test("a running container's numbers follow the CRI's formulas, and its names come with them")
    func containerNumbers() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            let id = try await fixture.container(in: pod, start: true)
            let stats = try await container(fixture, String(id.prefix(12)))
            #expect(stats.attributes.id == id)
            #expect(!stats.attributes.metadata.name.isEmpty)
            #expect(stats.cpu.timestamp == 77)
            #expect(stats.cpu.usageCoreNanoSeconds.value == 3_000_000)
            #expect(stats.cpu.usageNanoCores.value == 250_000_000)
            #expect(stats.cpu.psi.some.total == 1_234_000, "nanoseconds")
            #expect(stats.cpu.psi.some.avg10 == 1.5)
            #expect(!stats.cpu.psi.hasFull)
            #expect(stats.memory.usageBytes.value == 10000)
            #expect(stats.memory.workingSetBytes.value == 7500)
            #expect(stats.memory.availableBytes.value == 42500)
            #expect(stats.memory.rssBytes.value == 4000)
            #expect(stats.memory.pageFaults.value == 12)
            #expect(stats.memory.majorPageFaults.value == 3)
            #expect(!stats.memory.hasPsi)
            #expect(stats.swap.swapUsageBytes.value == 100)
            #expect(stats.swap.swapAvailableBytes.value == 200)
            #expect(stats.io.psi.full.total == 1000)
            #expect(stats.writableLayer.usedBytes.value == 8192)
            #expect(stats.writableLayer.timestamp == 66, "the time of the measurement, not of the call")
        }
    }

    @Test("what the host does not count is absent, not zero")
    func absence() async throws {
        try await Fixture.run { fixture in
            fixture.statistics.state.withLock { state in
                var counted = CgroupStatistics()
                counted.cpu = .init("usage_usec 1\nuser_usec 1\nsystem_usec 0\n")
                state.usage = CgroupUsage(timestamp: 5, counted: counted, nanoCores: nil)
                state.layers = false
                state.interfaces = nil
            }
            let pod = try await fixture.runPod()
            let id = try await fixture.container(in: pod, start: true)
            let stats = try await container(fixture, id)
            #expect(stats.cpu.usageCoreNanoSeconds.value == 1000)
            #expect(!stats.cpu.hasUsageNanoCores)
            #expect(stats.memory.timestamp == 5)
            #expect(!stats.memory.hasUsageBytes && !stats.memory.hasWorkingSetBytes && !stats.memory.hasAvailableBytes)
            #expect(!stats.hasSwap && !stats.hasIo && !stats.hasWritableLayer)
            let whole = try await podStats(fixture, pod)
            #expect(!whole.linux.hasNetwork && !whole.linux.hasProcess && !whole.linux.hasIo)
        }
    }

    @Test("a container that does not run has names and a writable layer; a limit of none leaves no room to tell")
    func notRunning() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod()
            let id = try await fixture.container(in: pod)
            let stats = try await container(fixture, id)
            #expect(stats.attributes.id == id)
            #expect(!stats.hasCpu && !stats.hasMemory && stats.hasWritableLayer)
            #expect(try await fixture.call("StartContainer", ["container_id": .string(id)]).isOK)
            fixture.statistics.state.withLock { $0.usage.counted.memory?.limit = .unlimited }
            #expect(try await container(fixture, id).memory.hasAvailableBytes == false)
        }
    }

    @Test("lists have who runs and is there, by all parts of the filter; the stream agrees with the list")
    func lists() async throws {
        try await Fixture.run { fixture in
            let pod = try await fixture.runPod(Requests.pod.with("config.labels", ["app": "web"]))
            let other = try await fixture.runPod(Requests.pod.with("config.metadata.name", "other"))
            let running = try await fixture.container(in: pod, start: true)
            let second = try await fixture.container(in: other, start: true)
            let created = try await fixture.container(in: other, named: "created")
            let exited = try await fixture.container(in: pod, named: "exited", start: true)
            #expect(try await fixture.call("StopContainer", ["container_id": .string(exited)]).isOK)
            let rows: [(JSON, [String])] = [
                ([:], [running, second]), (["filter": [:]], [running, second]),
                (["filter": ["id": .string(String(second.prefix(20)))]], [second]),
                (["filter": ["pod_sandbox_id": .string(pod)]], [running]),
                (["filter": ["pod_sandbox_id": .string(pod), "id": .string(second)]], []),
                (["filter": ["label_selector": ["no": "such"]]], []), (["filter": ["id": .string(created)]], []),
            ]
            for (request, expected) in rows {
                let list = try Runtime_V1_ListContainerStatsResponse(
                    jsonString: try await fixture.call("ListContainerStats", request).response)
                #expect(Set(list.stats.map(\.attributes.id)) == Set(expected), "\(request.text)")
                let stream = try await fixture.call("StreamContainerStats", request)
                let streamed = try stream.response.split(separator: "\n").flatMap {
                    try Runtime_V1_StreamContainerStatsResponse(jsonString: String($0)).containerStats
                }
                #expect(streamed == list.stats, "\(request.text)")
            }
            // One whose cgroup is gone meanwhile is left out, and nobody else with it.
            let cgroup = try #require(fixture.statistics.state.withLock { $0.asked.first { $0.contains(running) } })
            fixture.statistics.state.withLock { _ = $0.gone.insert(cgroup) }
            let list = try Runtime_V1_ListContainerStatsResponse(
                jsonString: try await fixture.call("ListContainerStats").response)
            #expect(list.stats.map(\.attributes.id) == [second])

            let podRows: [(JSON, [String])] = [
                ([:], [pod, other]), (["filter": ["label_selector": ["app": "web"]]], [pod]),
                (["filter": ["id": .string(String(other.prefix(16)))]], [other]),
                (["filter": ["id": .string(other), "label_selector": ["app": "web"]]], []),
            ]
            for (request, expected) in podRows {
                let list = try Runtime_V1_ListPodSandboxStatsResponse(
                    jsonString: try await fixture.call("ListPodSandboxStats", request).response)
                #expect(Set(list.stats.map(\.attributes.id)) == Set(expected), "\(request.text)")
                let stream = try await fixture.call("StreamPodSandboxStats", request)
                let streamed = try stream.response.split(separator: "\n").flatMap {
                    try Runtime_V1_StreamPodSandboxStatsResponse(jsonString: String($0)).podSandboxStats
                }
                #expect(streamed == list.stats, "\(request.text)")
            }
        }
    }

    @Test(
        "a pod has the numbers of the cgroup that it was given, or the sum of its own; its interfaces; its containers")
    func pods() async throws {
        try await Fixture.run { fixture in
            let given = try await fixture.runPod(
                Requests.pod.with("config.linux.cgroup_parent", "/kubepods/podx"))
            let own = try await fixture.runPod(
                Requests.pod.with("config.linux.cgroup_parent", "").with("config.metadata.name", "own"))
            for pod in [given, own] { _ = try await fixture.container(in: pod, start: true) }
            fixture.statistics.state.withLock { $0.asked = [] }
            let first = try await podStats(fixture, given)
            #expect(fixture.statistics.state.withLock { $0.asked.first } == "/kubepods/podx")
            let top = try await fixture.runPod(
                Requests.pod.with("config.linux.cgroup_parent", "/").with("config.metadata.name", "top"))
            fixture.statistics.state.withLock { $0.asked = [] }
            _ = try await podStats(fixture, top)
            #expect(fixture.statistics.state.withLock { $0.asked.first } == "/")
            #expect(first.linux.cpu.usageCoreNanoSeconds.value == 3_000_000)
            #expect(first.linux.memory.availableBytes.value == 42500)
            #expect(first.linux.process.processCount.value == 5)
            #expect(first.linux.network.defaultInterface.name == "eth0")
            #expect(first.linux.network.defaultInterface.rxBytes.value == 10)
            #expect(first.linux.network.interfaces.map(\.name) == ["net1"])
            #expect(first.linux.network.interfaces[0].txErrors.value == 4)
            #expect(first.linux.containers.count == 1)
            #expect(first.linux.containers[0].memory.usageBytes.value == 10000)
            // The sandbox's cgroup and the container's.
            let second = try await podStats(fixture, own)
            #expect(second.linux.cpu.usageCoreNanoSeconds.value == 6_000_000)
            #expect(second.linux.memory.workingSetBytes.value == 15000)
            #expect(second.linux.process.processCount.value == 10)
            #expect(!second.linux.memory.hasAvailableBytes)
            #expect(!second.linux.cpu.hasPsi, "pressure is no sum")
        }
    }

    @Test("unknown ids are NotFound; a stopped pod has no numbers and is in no list")
    func errors() async throws {
        try await Fixture.run { fixture in
            let unknown = JSON.string(String(repeating: "f", count: 64))
            #expect(try await fixture.call("ContainerStats", ["container_id": unknown]).code == .notFound)
            #expect(try await fixture.call("PodSandboxStats", ["pod_sandbox_id": unknown]).code == .notFound)
            #expect(try await fixture.call("ContainerStats", ["container_id": ""]).code == .invalidArgument)
            let pod = try await fixture.runPod()
            #expect(try await fixture.call("StopPodSandbox", ["pod_sandbox_id": .string(pod)]).isOK)
            let outcome = try await fixture.call("PodSandboxStats", ["pod_sandbox_id": .string(pod)])
            #expect(outcome.code == .failedPrecondition)
            let list = try Runtime_V1_ListPodSandboxStatsResponse(
                jsonString: try await fixture.call("ListPodSandboxStats").response)
            #expect(list.stats.isEmpty)
        }
    }

    private func container(_ fixture: Fixture, _ id: String) async throws -> Runtime_V1_ContainerStats {
        let outcome = try await fixture.call("ContainerStats", ["container_id": .string(id)])
        try #require(outcome.isOK, "\(outcome.message)")
        return try Runtime_V1_ContainerStatsResponse(jsonString: outcome.response).stats
    }

    private func podStats(_ fixture: Fixture, _ id: String) async throws -> Runtime_V1_PodSandboxStats {
        let outcome = try await fixture.call("PodSandboxStats", ["pod_sandbox_id": .string(id)])
        try #require(outcome.isOK, "\(outcome.message)")
        return try Runtime_V1_PodSandboxStatsResponse(jsonString: outcome.response).stats
    }
}
