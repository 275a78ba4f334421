import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct NetworkFaults {}
}

extension WholeDaemon.NetworkFaults {
    private static let configuration = "/cni/10-swiftlet.conflist"

    @Test func `a plugin that fails after others succeeded leaves nothing, and the name works later`() async throws {
        let node = try Node.current
        let path = node.root + Self.configuration
        let good = try node.text(path)
        // After the bridge a plugin that fails: the bridge's work has to be undone.
        let bad = good.replacingOccurrences(
            of: "\"type\": \"portmap\",", with: "\"type\": \"tuning\", \"sysctl\": { \"net.no.such.thing\": \"1\" },")
        #expect(bad != good)
        let config = try node.podConfig("plugin-fails")
        try await node.leavesNothing {
            try node.write(bad, to: path)
            let refused = try await node.refusal(of: CRIMethods.runPodSandbox, .with { $0.config = config })
            try node.write(good, to: path)
            #expect(refused.code != .ok && refused.message.contains("tuning"), "\(refused)")
            #expect(try await node.call(CRIMethods.listPodSandbox, .init()).items.isEmpty)
        }
        try await node.leavesNothing {
            let pod = try await node.runPod(config)
            #expect(try await pod.status().network.ip.hasPrefix("10.88."))
            try await pod.remove()
        }
    }

    @Test func `the network is ready as long as there is a configuration`() async throws {
        let node = try Node.current
        let path = node.path(node.root + Self.configuration)
        func network() async throws -> Runtime_V1_RuntimeCondition {
            let conditions = try await node.call(CRIMethods.status, .init()).status.conditions
            return try #require(conditions.first { $0.type == "NetworkReady" })
        }
        #expect(try await network().status)
        try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
        try await eventually("the network is not ready") { try await !network().status }
        #expect(try await network().reason == "NetworkPluginNotReady")
        let config = try node.podConfig("no-network")
        let refused = try await node.refusal(of: CRIMethods.runPodSandbox, .with { $0.config = config })
        #expect(refused.code != .ok, "\(refused)")
        try FileManager.default.moveItem(atPath: path + ".away", toPath: path)
        try await eventually("the network is ready") { try await network().status }
        try await node.leavesNothing { try await node.runPod(config).remove() }
    }

    @Test(arguments: [false, true]) func `a pod's address is released though the configuration is gone`(
        restarts: Bool
    ) async throws {
        let node = try Node.current
        let path = node.path(node.root + Self.configuration)
        try await node.withPod("conf-gone") { pod in
            #expect(node.addressesInUse().count == 1)
            try FileManager.default.moveItem(atPath: path, toPath: path + ".away")
            defer { rename(path + ".away", path) }
            if restarts { try await node.restartDaemon() }
            try await pod.stop()
            #expect(node.addressesInUse().isEmpty)
        }
    }

    @Test func `a pod's address is released though its namespace is gone`() async throws {
        let node = try Node.current
        try await node.withPod("namespace-gone") { pod in
            try await node.succeed("umount", "\(node.state)/run/pods/\(pod.id)/netns")
            try await pod.stop()
            #expect(node.addressesInUse().isEmpty)
            // Without a namespace the bridge plugin leaves its rules for addresses; nobody else can know them.
            try await node.succeed("sh", "-c", "iptables-save -t nat | grep -v \(pod.id) | iptables-restore -T nat")
        }
    }
}
