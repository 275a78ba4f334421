import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit

typealias PodConfig = Runtime_V1_PodSandboxConfig
typealias ContainerConfig = Runtime_V1_ContainerConfig

/// A pod sandbox on the node.
struct Pod: Sendable {
    let node: Node
    let id: String
    let config: PodConfig

    func status() async throws -> Runtime_V1_PodSandboxStatus {
        try await node.call(CRIMethods.podSandboxStatus, .with { $0.podSandboxID = id }).status
    }

    func stop() async throws { try await node.call(CRIMethods.stopPodSandbox, .with { $0.podSandboxID = id }) }
    func remove() async throws { try await node.call(CRIMethods.removePodSandbox, .with { $0.podSandboxID = id }) }
}

extension Node {
    static let busybox = "docker.io/library/busybox:latest"
    static let images = [
        busybox, "docker.io/swiftlet/volumes:latest", "docker.io/swiftlet/layers:127",
    ]

    /// Every image that the tests use; pulled once.
    func pullAll() async throws {
        for image in Self.images { _ = try await pull(image) }
    }

    func pull(_ image: String) async throws -> String {
        try await call(CRIMethods.pullImage, .with { $0.image.image = image }, timeout: .seconds(120)).imageRef
    }

    /// Below it are the cgroups of the tests' pods.
    var cgroupParent: String { "/\(mark)-pods" }

    /// A configuration as a kubelet sends it, with its own name.
    func podConfig(_ name: String, _ change: (inout PodConfig) -> Void = { _ in }) throws -> PodConfig {
        let name = unique(name)
        var config = PodConfig.with {
            $0.metadata = .with {
                $0.name = name
                $0.namespace = "tests"
                $0.uid = name + "-uid"
            }
            $0.hostname = name
            $0.labels = ["app": name]
            $0.annotations = ["note": "of \(name)"]
            $0.linux.cgroupParent = cgroupParent
            $0.linux.securityContext.namespaceOptions.pid = .container
        }
        config.logDirectory = try work.directory("logs/\(name)")
        change(&config)
        return config
    }

    func runPod(_ config: PodConfig) async throws -> Pod {
        let id = try await call(CRIMethods.runPodSandbox, .with { $0.config = config }).podSandboxID
        return Pod(node: self, id: id, config: config)
    }

    /// Runs a pod for a body, stops and removes it, and demands that nothing stays.
    func withPod<T>(
        _ name: String, _ change: (inout PodConfig) -> Void = { _ in }, isolation: isolated (any Actor)? = #isolation,
        _ body: (Pod) async throws -> T
    ) async throws -> T {
        try await leavesNothing {
            let pod = try await runPod(try podConfig(name, change))
            let result: T
            do { result = try await body(pod) } catch {
                // The body's error matters; a second one would hide it.
                do { try await pod.remove() } catch let second { print("remove the pod of a failed test: \(second)") }
                throw error
            }
            try await pod.stop()
            try await pod.remove()
            return result
        }
    }
}
