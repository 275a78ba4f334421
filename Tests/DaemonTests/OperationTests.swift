import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import SwiftletAPI
import TestKit
import Testing

extension WholeDaemon {
    /// What the daemon keeps of the calls that it carried out.
    @Suite(.serialized) struct Operations {}
}

extension WholeDaemon.Operations {
    @Test func `the start of a pod and a container is kept with its stages, also when they are gone`() async throws {
        let node = try Node.current
        var id = ""
        try await node.withPod("traced") { pod in
            id = pod.id
            let container = try await pod.start()
            let kept = try await node.call(NodeMethods.listOperations, .with { $0.id = pod.id }).operations
            #expect(kept.map(\.name) == ["RunPodSandbox", "CreateContainer", "StartContainer"])
            #expect(
                kept.allSatisfy {
                    $0.error.isEmpty && $0.duration > 0 && $0.podName.hasPrefix("traced") && $0.podNamespace == "tests"
                })
            for stage in ["supervisor", "cgroup", "network"] {
                #expect(kept[0].stages.contains { $0.name == stage && $0.duration > 0 }, "\(stage)")
            }
            let network = try #require(kept[0].stages.firstIndex { $0.name == "network" })
            let plugins = kept[0].stages.filter { $0.name == "plugin" }
            #expect(plugins.first?.detail == "bridge ADD", "\(plugins)")
            #expect(plugins.allSatisfy { $0.parent == Int32(network) && $0.duration > 0 && !$0.failed })
            #expect(kept[0].stages.filter { ["birth", "connection"].contains($0.name) }.count == 2)
            #expect(kept[1].stages[0].detail.contains("busybox"))
            #expect(kept[2].containerID == container.id && kept[2].stages.contains { $0.name == "launch" })
            let picture = try await node.shell("swiftlet trace -o svg \(pod.id)")
            #expect(picture.stdout.contains("<svg") && picture.stdout.contains("supervisor"))
        }
        let kept = try await node.call(NodeMethods.listOperations, .with { $0.id = id }).operations
        #expect(kept.last?.name == "RemovePodSandbox")
        let refused = try await node.refusal(
            of: NodeMethods.listOperations, .with { $0.id = String(repeating: "a", count: 65) })
        #expect(refused.code == .invalidArgument)
    }
}
