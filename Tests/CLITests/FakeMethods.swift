import CLICore
import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import Synchronization

extension FakeWorld {
    /// The methods that the command line calls.
    func methods() -> [GRPCMethod] {
        [self.version, status, events, pullImage] + imageMethods() + podMethods() + containerMethods()
            + statisticsMethods() + nodeMethods()
    }

    /// A method that notes the call, fails if a test wants it to, and else answers from the state.
    func method<Request: Message, Response: Message>(
        _ method: CRIMethod<Request, Response>,
        _ body: @escaping @Sendable (Request, inout State) throws(GRPCStatus) -> Response
    ) -> GRPCMethod {
        .unary(method.path) { (request: Request, _) in
            if self.state.withLock(\.isStuck) { try await Task.sleep(for: .seconds(3600)) }
            return try self.answer(method, request, body)
        }
    }

    private func answer<Request: Message, Response: Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request,
        _ body: (Request, inout State) throws(GRPCStatus) -> Response
    ) throws(GRPCStatus) -> Response {
        try self.state.withLock { state throws(GRPCStatus) in
            state.calls.append(method.name)
            state.onCall(method.name)
            state.requests[method.name] = request
            if let failure = state.failures[method.name] { throw failure }
            if let (count, failure) = state.failsAfter[method.name] {
                guard count > 0 else { throw failure }
                state.failsAfter[method.name] = (count - 1, failure)
            }
            return try body(request, &state)
        }
    }

    private var version: GRPCMethod {
        method(CRIMethods.version) { _, _ in
            .with {
                $0.version = "0.1.0"
                $0.runtimeName = "fake"
                $0.runtimeVersion = "1.2.3"
                $0.runtimeApiVersion = "v1"
            }
        }
    }

    private var status: GRPCMethod {
        method(CRIMethods.status) { request, state in
            .with {
                $0.status.conditions = [
                    .with {
                        $0.type = "RuntimeReady"; $0.status = true
                    },
                    .with {
                        $0.type = "NetworkReady"; $0.reason = "NetworkPluginNotReady"; $0.message = "no plugin"
                    },
                ]
                if request.verbose { $0.info = state.info }
            }
        }
    }

    // MARK: - Images

    /// Waits first for what a test wants it to.
    private var pullImage: GRPCMethod {
        .unary(CRIMethods.pullImage.path) { (request: Runtime_V1_PullImageRequest, _) in
            await self.pullGate.withLock { $0 }()
            return try self.answer(CRIMethods.pullImage, request) { request, state in
                let id = "sha256:" + String(repeating: "b", count: 64)
                state.images.append(
                    .with {
                        $0.id = id; $0.repoTags = [request.image.image]; $0.size = 5_000_000
                    })
                return .with { $0.imageRef = id }
            }
        }
    }

    private func imageMethods() -> [GRPCMethod] {
        [
            method(CRIMethods.listImages) { request, state in
                let name = request.filter.image.image
                return .with { $0.images = state.images.filter { name.isEmpty || $0.has(name) } }
            },
            method(CRIMethods.imageStatus) { request, state in
                .with {
                    if let image = state.images.first(where: { $0.has(request.image.image) }) { $0.image = image }
                    if request.verbose { $0.info = state.info }
                }
            },
            method(CRIMethods.imageFsInfo) { _, _ in
                .with {
                    $0.imageFilesystems = [
                        .with {
                            $0.timestamp = CapturedConsole.now
                            $0.fsID.mountpoint = "/var/lib/images"
                            $0.usedBytes.value = 4_261_550
                            $0.inodesUsed.value = 12
                        }
                    ]
                }
            },
            method(CRIMethods.removeImage) { request, state in
                state.images.removeAll { $0.has(request.image.image) }
                return .init()
            },
        ]
    }

    // MARK: - Pods

    private func podMethods() -> [GRPCMethod] {
        [
            method(CRIMethods.listPodSandbox) { request, state in
                let filter = request.filter
                let pods = state.pods.values.map(\.status).filter { pod in
                    (!filter.hasState || filter.state.state == pod.state)
                        && filter.labelSelector.allSatisfy { pod.labels[$0.key] == $0.value }
                }
                return .with { $0.items = pods.sorted { $0.id < $1.id } }
            },
            method(CRIMethods.podSandboxStatus) { request, state throws(GRPCStatus) in
                guard let pod = state.pods[request.podSandboxID] else {
                    throw GRPCStatus(code: .notFound, message: "no pod")
                }
                return .with {
                    $0.status.id = pod.status.id
                    $0.status.metadata = pod.status.metadata
                    $0.status.state = pod.status.state
                    $0.status.createdAt = pod.status.createdAt
                    $0.status.network.ip = "10.88.0.7"
                    $0.status.labels = pod.status.labels
                    if request.verbose { $0.info = state.info }
                }
            },
            method(CRIMethods.runPodSandbox) { request, state in
                let id = state.newID()
                state.pods[id] = (Self.pod(id, request.config), request.config)
                return .with { $0.podSandboxID = id }
            },
            method(CRIMethods.stopPodSandbox) { request, state in
                for (id, container) in state.containers where container.pod == request.podSandboxID {
                    state.end(id, with: 137)
                }
                state.pods[request.podSandboxID]?.status.state = .sandboxNotready
                return .init()
            },
            method(CRIMethods.removePodSandbox) { request, state in
                state.pods[request.podSandboxID] = nil
                state.containers = state.containers.filter { $0.value.pod != request.podSandboxID }
                return .init()
            },
        ]
    }

    // MARK: - Containers

    private func containerMethods() -> [GRPCMethod] {
        [
            method(CRIMethods.listContainers) { request, state in
                let filter = request.filter
                let containers = state.containers.values.filter { container in
                    (!filter.hasState || filter.state.state == container.status.state)
                        && filter.labelSelector.allSatisfy { container.status.labels[$0.key] == $0.value }
                }
                return .with { $0.containers = containers.map(Self.listed).sorted { $0.id < $1.id } }
            },
            method(CRIMethods.containerStatus) { request, state throws(GRPCStatus) in
                guard let container = state.containers[request.containerID] else {
                    throw GRPCStatus(code: .notFound, message: "no container")
                }
                return .with {
                    $0.status = container.status
                    if request.verbose { $0.info = state.info }
                }
            },
            method(CRIMethods.createContainer) { request, state throws(GRPCStatus) in
                guard let pod = state.pods[request.podSandboxID] else {
                    throw GRPCStatus(code: .notFound, message: "no pod")
                }
                let id = state.newID()
                let name = request.config.logPath
                let log = name.isEmpty ? "" : pod.config.logDirectory + "/" + name
                state.containers[id] = (
                    Self.status(id, request.config, logPath: log), request.podSandboxID, request.config
                )
                return .with { $0.containerID = id }
            },
            method(CRIMethods.startContainer) { request, state throws(GRPCStatus) in
                guard let container = state.containers[request.containerID] else {
                    throw GRPCStatus(code: .notFound, message: "no container")
                }
                state.containers[request.containerID]?.status.state = .containerRunning
                try Self.perform(container.config, log: container.status.logPath) { code in
                    state.end(request.containerID, with: code)
                }
                return .init()
            },
            method(CRIMethods.stopContainer) { request, state in
                state.end(request.containerID, with: request.timeout > 0 ? 143 : 137)
                return .init()
            },
            method(CRIMethods.removeContainer) { request, state in
                state.containers[request.containerID] = nil
                return .init()
            },
            method(CRIMethods.reopenContainerLog) { _, _ in .init() },
            method(CRIMethods.updateContainerResources) { _, _ in .init() },
            method(CRIMethods.checkpointContainer) { _, _ in .init() },
            method(CRIMethods.updateRuntimeConfig) { _, _ in .init() },
            method(CRIMethods.runtimeConfig) { _, _ in .with { $0.linux.cgroupDriver = .cgroupfs } },
            method(CRIMethods.exec) { request, state in .with { $0.url = state.streams.exec(request) } },
            method(CRIMethods.attach) { request, state in .with { $0.url = state.streams.attach(request) } },
            method(CRIMethods.portForward) { request, state in .with { $0.url = state.streams.portForward(request) } },
            method(CRIMethods.execSync) { request, _ in
                .with {
                    $0.stdout = Data(request.cmd.joined(separator: " ").utf8)
                    $0.stderr = Data("warned".utf8)
                    $0.exitCode = request.cmd.last.flatMap { Int32($0) } ?? 0
                }
            },
        ]
    }

    private static func listed(
        _ container: (status: Runtime_V1_ContainerStatus, pod: String, config: Runtime_V1_ContainerConfig)
    ) -> Runtime_V1_Container {
        .with {
            $0.id = container.status.id
            $0.podSandboxID = container.pod
            $0.metadata = container.status.metadata
            $0.image = container.status.image
            $0.imageID = container.status.imageID
            $0.state = container.status.state
            $0.createdAt = container.status.createdAt
            $0.labels = container.status.labels
            $0.annotations = container.status.annotations
        }
    }

    /// Does what a container's arguments say.
    private static func perform(
        _ config: Runtime_V1_ContainerConfig, log: String, end: (Int32) -> Void
    ) throws(GRPCStatus) {
        var text = ""
        for argument in config.args {
            let words = argument.split(separator: " ", maxSplits: 1)
            let rest = words.count > 1 ? String(words[1]) : ""
            switch words.first {
            case "write": text += "2026-11-23T02:10:29.5Z stdout F \(rest)\n"
            case "complain": text += "2026-11-23T02:10:29.6Z stderr F \(rest)\n"
            case "exit": end(Int32(rest) ?? 0)
            case "exits":
                let codes = rest.split(separator: " ").compactMap { Int32($0) }
                end(codes[min(Int(config.metadata.attempt), codes.count - 1)])
            default: continue
            }
        }
        guard !log.isEmpty else { return }
        do {
            try Data(text.utf8).write(to: URL(filePath: log))
        } catch {
            throw GRPCStatus(code: .internal, message: "write the log \"\(log)\": \(error)")
        }
    }
}

extension FakeWorld.State {
    mutating func end(_ id: String, with code: Int32) {
        guard containers[id]?.status.state != .containerExited else { return }
        containers[id]?.status.state = .containerExited
        containers[id]?.status.exitCode = code
        containers[id]?.status.reason = code == 0 ? "Completed" : "Error"
    }
}

extension Runtime_V1_Image {
    fileprivate func has(_ name: String) -> Bool {
        repoTags.contains(name) || repoDigests.contains(name) || id == name || id.hasPrefix("sha256:" + name)
    }
}
