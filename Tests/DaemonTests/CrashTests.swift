import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

extension WholeDaemon {
    @Suite(.serialized) struct Crash {}
}

extension WholeDaemon.Crash {
    private static var kills: Int { Node.isInGuest ? 8 : 40 }
    /// Longer than the calls of a whole life take, so that kills come at every moment of it.
    private static var lifeMilliseconds: Int { Node.isInGuest ? 4000 : 500 }

    @Test func `a daemon killed at any moment leaves nothing that cannot be stopped and removed`() async throws {
        let node = try Node.current
        var random = SeededGenerator.announced("kill the daemon at any moment")
        for number in 0..<Self.kills {
            let before = try await NodeState.take(node)
            let config = try node.podConfig("crash")
            let life = Task { await Self.live(config, on: node) }
            // A moment by chance: nothing is waited for.
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...Self.lifeMilliseconds, using: &random)))
            try await node.endDaemon()
            let reached = await life.value
            try await node.startDaemon()
            do {
                try await Self.removeEverything(on: node)
                // The name is free again.
                let again = try await node.runPod(config)
                try await again.remove()
                try await node.expectNothing(since: before, pluginMayForgetRules: true)
            } catch {
                throw TestFailure("kill \(number), after \(reached): \(error)")
            }
        }
    }

    /// A pod's and a container's whole life, as far as the daemon lives; returns the last call that was answered.
    private static func live(_ config: PodConfig, on node: Node) async -> String {
        var reached = "nothing"
        do {
            let client = try await CRIClient(socket: node.socket)
            do {
                let id = try await client.call(CRIMethods.runPodSandbox, .with { $0.config = config }).podSandboxID
                reached = "RunPodSandbox"
                let pod = Pod(node: node, id: id, config: config)
                let container = try await client.call(
                    CRIMethods.createContainer,
                    .with {
                        $0.podSandboxID = id
                        $0.config = pod.containerConfig()
                    }
                ).containerID
                reached = "CreateContainer"
                _ = try await client.call(CRIMethods.startContainer, .with { $0.containerID = container })
                reached = "StartContainer"
                _ = try await client.call(
                    CRIMethods.execSync,
                    .with {
                        $0.containerID = container
                        $0.cmd = ["true"]
                    })
                reached = "ExecSync"
                _ = try await client.call(CRIMethods.stopPodSandbox, .with { $0.podSandboxID = id })
                reached = "StopPodSandbox"
                _ = try await client.call(CRIMethods.removePodSandbox, .with { $0.podSandboxID = id })
                reached = "RemovePodSandbox"
            } catch {
                await client.close()
                return reached
            }
            await client.close()
        } catch {
            return reached
        }
        return reached
    }

    private static func removeEverything(on node: Node) async throws {
        for container in try await node.call(CRIMethods.listContainers, .init()).containers {
            try await node.call(CRIMethods.stopContainer, .with { $0.containerID = container.id })
        }
        for pod in try await node.call(CRIMethods.listPodSandbox, .init()).items {
            try await node.call(CRIMethods.stopPodSandbox, .with { $0.podSandboxID = pod.id })
            try await node.call(CRIMethods.removePodSandbox, .with { $0.podSandboxID = pod.id })
        }
        let pods = try await node.call(CRIMethods.listPodSandbox, .init()).items
        let containers = try await node.call(CRIMethods.listContainers, .init()).containers
        guard pods.isEmpty, containers.isEmpty else { throw TestFailure("still listed: \(pods) \(containers)") }
    }
}
