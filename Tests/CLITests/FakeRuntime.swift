import CLICore
import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import Synchronization

@testable import swiftlet

/// A CRI runtime that keeps pods and containers in memory. A container's arguments say what it does:
/// "write TEXT" and "complain TEXT" add a line to the log, "exit N" ends it, "exits A B ..." ends its attempts in turn, "stay" lets it run until it is stopped.
final class FakeRuntime: Sendable {
    let world: FakeWorld
    let scratch: ScratchDirectory
    private let server: Mutex<GRPCServer>

    /// Starts a runtime, lets `body` use it, and stops it.
    static func with<Result: Sendable>(
        extra methods: [GRPCMethod] = [], _ body: (FakeRuntime) async throws -> Result
    ) async throws -> Result {
        let runtime = try await FakeRuntime(methods)
        do {
            let result = try await body(runtime)
            await runtime.stop()
            return result
        } catch {
            await runtime.stop()
            throw error
        }
    }

    private let extra: [GRPCMethod]

    private init(_ extra: [GRPCMethod]) async throws {
        scratch = try ScratchDirectory()
        world = FakeWorld()
        self.extra = extra
        server = Mutex(try await Self.serve(world, extra, scratch))
    }

    private static func serve(
        _ world: FakeWorld, _ extra: [GRPCMethod], _ scratch: ScratchDirectory
    ) async throws -> GRPCServer {
        try await GRPCServer.start(world.methods() + extra, at: .unix(path: scratch.path + "/cri.sock"))
    }

    private func stop() async {
        await server.withLock { $0 }.shutdown(grace: .milliseconds(10))
    }

    /// Ends the server with all its connections and starts it again; pods and containers live on.
    func restart() async throws {
        await stop()
        let fresh = try await Self.serve(world, extra, scratch)
        server.withLock { $0 = fresh }
    }

    var endpoint: String { "unix://\(scratch.path)/cri.sock" }
    var calls: [String] { world.state.withLock(\.calls) }

    /// Runs the program against this runtime.
    func swiftlet(_ arguments: String..., isTerminal: Bool = false) async -> (status: Int32, out: String, err: String) {
        await swiftlet(arguments, isTerminal: isTerminal)
    }

    func swiftlet(_ arguments: [String], isTerminal: Bool = false) async -> (status: Int32, out: String, err: String) {
        let captured = CapturedConsole(isTerminal: isTerminal)
        let status = await Program.run(
            ["-r", endpoint] + arguments, environment: [:], console: captured.console)
        return (status, captured.out, captured.err)
    }

    // MARK: - Things to list

    @discardableResult
    func addImage(_ name: String, digit: Character = "a", size: UInt64 = 4_261_550) -> String {
        let id = "sha256:" + String(repeating: digit, count: 64)
        world.state.withLock { state in
            state.images.append(
                .with {
                    $0.id = id
                    $0.repoTags = [name]
                    $0.repoDigests = [name.split(separator: ":")[0] + "@sha256:" + String(repeating: "d", count: 64)]
                    $0.size = size
                })
        }
        return id
    }

    @discardableResult
    func addPod(_ name: String, namespace: String = "default", secondsAgo: Int64 = 60, ready: Bool = true) -> String {
        world.state.withLock { state in
            let id = state.newID()
            let config = Runtime_V1_PodSandboxConfig.with {
                $0.metadata.name = name
                $0.metadata.namespace = namespace
                $0.metadata.uid = "uid-\(name)"
                $0.labels = ["app": name]
            }
            var pod = FakeWorld.pod(id, config)
            pod.createdAt = CapturedConsole.now - secondsAgo * 1_000_000_000
            pod.state = ready ? .sandboxReady : .sandboxNotready
            state.pods[id] = (pod, config)
            return id
        }
    }

    @discardableResult
    func addContainer(
        _ name: String, in pod: String, _ containerState: Runtime_V1_ContainerState = .containerRunning,
        secondsAgo: Int64 = 30, attempt: UInt32 = 0, logPath: String = ""
    ) -> String {
        world.state.withLock { state in
            let id = state.newID()
            let config = Runtime_V1_ContainerConfig.with {
                $0.metadata.name = name
                $0.metadata.attempt = attempt
                $0.image.image = "sha256:" + String(repeating: "a", count: 64)
                $0.image.userSpecifiedImage = "docker.io/library/busybox:1"
                $0.labels = ["tier": name, PodLabel.name: "web", PodLabel.namespace: "default"]
            }
            var status = FakeWorld.status(id, config, logPath: logPath)
            status.createdAt = CapturedConsole.now - secondsAgo * 1_000_000_000
            status.state = containerState
            state.containers[id] = (status, pod, config)
            return id
        }
    }
}
