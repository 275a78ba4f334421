import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestFakes
import Testing

/// Ids by prefix, on every call that takes one; and lists that are too long for a message.
@Suite struct PrefixTests {
    private static let ofPods: [(method: String, rest: JSON)] = [
        ("PodSandboxStatus", [:]), ("UpdatePodSandboxResources", [:]), ("PodSandboxStats", [:]),
        ("CreateContainer", ["config": Requests.container.with("metadata.name", "new"), "sandbox_config": [:]]),
        ("CheckpointPod", [:]), ("StopPodSandbox", [:]), ("RemovePodSandbox", [:]),
    ]
    private static let ofContainers: [(method: String, rest: JSON)] = [
        ("ContainerStatus", [:]), ("StartContainer", [:]), ("ContainerStats", [:]),
        ("UpdateContainerResources", ["linux": ["cpu_shares": 77]]), ("ReopenContainerLog", [:]),
        ("ExecSync", ["cmd": ["true"]]), ("CheckpointContainer", [:]), ("StopContainer", ["timeout": 1]),
        ("RemoveContainer", [:]),
    ]

    @Test("a unique prefix names its object, and one that fits several is refused, on every call")
    func prefixes() async throws {
        try await Fixture.run { fixture in
            // Seventeen ids have sixteen first digits.
            var pods: [String] = []
            for number in 0..<17 {
                pods.append(
                    try await fixture.runPod(Requests.pod.with("config.metadata.name", .string("p\(number)"))))
            }
            var containers: [String] = []
            for number in 0..<17 {
                containers.append(try await fixture.container(in: pods[0], named: "c\(number)"))
            }
            let before = fixture.node.leftovers
            for (field, ids, calls) in [
                ("pod_sandbox_id", pods, Self.ofPods), ("container_id", containers, Self.ofContainers),
            ] {
                let digits = Dictionary(grouping: ids) { $0.prefix(1) }
                let shared = String(try #require(digits.first { $0.value.count > 1 }).key)
                for (method, rest) in calls {
                    let outcome = try await fixture.call(method, rest.with(field, .string(shared)))
                    #expect(outcome.code == .invalidArgument, "\(method): \(outcome.code) \(outcome.message)")
                    #expect(outcome.message.contains("ambiguous"), "\(method): \(outcome.message)")
                }
            }
            #expect(fixture.node.leftovers == before, "a call that is refused changes nothing")
            for (method, rest) in Self.ofContainers {
                let outcome = try await fixture.call(
                    method, rest.with("container_id", .string(String(containers[3].prefix(20)))))
                #expect(
                    outcome.code == (method.hasPrefix("Checkpoint") ? .unimplemented : .ok),
                    "\(method): \(outcome.message)")
            }
            for (method, rest) in Self.ofPods {
                let outcome = try await fixture.call(
                    method, rest.with("pod_sandbox_id", .string(String(pods[3].prefix(20)))))
                #expect(
                    outcome.code == (method.hasPrefix("Checkpoint") ? .unimplemented : .ok),
                    "\(method): \(outcome.message)")
            }
            let left = try Runtime_V1_ListPodSandboxResponse(
                jsonString: try await fixture.call("ListPodSandbox").response)
            #expect(left.items.count == 16 && !left.items.contains { $0.id == pods[3] })
        }
    }

    @Test("checkpoints are refused with the reason, and for unknown objects as not found")
    func checkpoints() async throws {
        try await Fixture.run { fixture in
            let unknown = JSON.string(String(repeating: "f", count: 64))
            #expect(try await fixture.call("CheckpointContainer", ["container_id": unknown]).code == .notFound)
            #expect(try await fixture.call("CheckpointPod", ["pod_sandbox_id": unknown]).code == .notFound)
            #expect(try await fixture.call("CheckpointContainer", ["container_id": ""]).code == .invalidArgument)
            let restore = try await fixture.call("RestorePod", ["checkpoint_path": "/x"])
            #expect(restore.code == .unimplemented && restore.message.contains("no checkpoints to restore from"))
            let pod = try await fixture.runPod()
            let refused = try await fixture.call("CheckpointPod", ["pod_sandbox_id": .string(pod)])
            #expect(refused.code == .unimplemented && refused.message.contains("cannot be captured"))
        }
    }

    @Test("a list of more than a message holds is refused with a sentence, and whole as a stream")
    func longLists() async throws {
        try await Fixture.run { fixture in
            let filler = String(repeating: "x", count: 1_000_000)
            var pods: Set<String> = []
            var containers: Set<String> = []
            for number in 0..<18 {
                let pod: Runtime_V1_RunPodSandboxResponse = try await fixture.send(CRIMethods.runPodSandbox) {
                    $0.config.metadata.name = "p\(number)"
                    $0.config.metadata.uid = "u"
                    $0.config.metadata.namespace = "n"
                    $0.config.annotations = ["filler": filler]
                }
                pods.insert(pod.podSandboxID)
                let made: Runtime_V1_CreateContainerResponse = try await fixture.send(CRIMethods.createContainer) {
                    $0.podSandboxID = pod.podSandboxID
                    $0.config.metadata.name = "c"
                    $0.config.image.image = "busybox"
                    $0.config.annotations = ["filler": filler]
                    $0.sandboxConfig.metadata.name = "p\(number)"
                    $0.sandboxConfig.metadata.uid = "u"
                    $0.sandboxConfig.metadata.namespace = "n"
                }
                containers.insert(made.containerID)
                let id = JSON.string(made.containerID)
                #expect(try await fixture.call("StartContainer", ["container_id": id]).isOK)
            }
            for method in ["ListPodSandbox", "ListContainers", "ListContainerStats", "ListPodSandboxStats"] {
                let outcome = try await fixture.call(method)
                #expect(outcome.code == .resourceExhausted, "\(method): \(outcome.code)")
                #expect(outcome.message.contains("exceeds the limit of 16777216"), "\(method): \(outcome.message)")
            }
            let items = try await fixture.collect(CRIMethods.streamPodSandboxes).map(\.podSandboxes)
            let lists = try await fixture.collect(CRIMethods.streamContainers).map(\.containers)
            let stats = try await fixture.collect(CRIMethods.streamContainerStats).map(\.containerStats)
            let podStats = try await fixture.collect(CRIMethods.streamPodSandboxStats).map(\.podSandboxStats)
            // An item a message, each object once.
            #expect(items.map { $0.map(\.id).joined() }.sorted() == pods.sorted())
            #expect(lists.map { $0.map(\.id).joined() }.sorted() == containers.sorted())
            #expect(stats.map { $0.map(\.attributes.id).joined() }.sorted() == containers.sorted())
            #expect(podStats.map { $0.map(\.attributes.id).joined() }.sorted() == pods.sorted())
        }
    }
}

extension Fixture {
    /// All messages of a stream.
    fileprivate func collect<Request: Message, Response: Message>(
        _ method: CRIMethod<Request, Response>
    ) async throws -> [Response] {
        let stream: ResponseStream<Response> = try client.serverStream(method.path, Request())
        var all: [Response] = []
        for try await message in stream { all.append(message) }
        return all
    }
}
