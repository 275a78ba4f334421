import CLICore
import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import TestKit
import Testing

@testable import swiftlet_conformance

extension WholeDaemon {
    struct Conformance {}
}

extension WholeDaemon.Conformance {
    @Test func `our daemon keeps every rule of our conformance suite`() async throws {
        let node = try Node.current
        let results = try await node.conformance(Catalogue.all, at: node.socket)
        for result in results where result.verdict.name == "failed" {
            Issue.record("\(result.test.id): \(result.verdict.reason)")
        }
        #expect(results.count { $0.verdict == .passed } > 100)
    }

    @Test func `every group of cases has a planted fault, and case ids are unique`() {
        let faulty = Set(PlantedFault.all.map { String($0.test.prefix { $0 != "." }) })
        #expect(Set(Catalogue.groups) == faulty)
        #expect(Set(Catalogue.all.map(\.id)).count == Catalogue.all.count)
    }

    /// A case that cannot fail shows nothing: between client and daemon one reply is falsified.
    @Test(arguments: PlantedFault.all) func `a planted fault fails its case`(_ fault: PlantedFault) async throws {
        let node = try Node.current
        let cases = Catalogue.all.filter { $0.id == fault.test }
        #expect(cases.count == 1)
        let path = node.work.path + "/\(node.unique("fault")).sock"
        let client = try await GRPCClient(unixPath: node.socket)
        let server = try await GRPCServer.start(fault.methods(client), at: .unix(path: path))
        let results: [swiftlet_conformance.Result]
        do {
            results = try await node.conformance(cases, at: path, limit: .seconds(10))
        } catch {
            _ = await server.shutdown(grace: .milliseconds(10))
            await client.close()
            throw error
        }
        _ = await server.shutdown(grace: .milliseconds(10))
        await client.close()
        #expect(results.map(\.verdict.name) == ["failed"])
    }
}

extension Node {
    /// Runs cases against a socket.
    func conformance(
        _ cases: [Case], at socket: String, limit: Duration = .seconds(60)
    ) async throws -> [swiftlet_conformance.Result] {
        let endpoint = try Endpoint(parsing: socket)
        let subject = try await Subject(
            Subject.Settings(
                endpoint: endpoint, imageEndpoint: endpoint, limit: limit, directory: work.path))
        do {
            let results = try await swiftlet_conformance.Suite(subject: subject).run(cases)
            await subject.close()
            return results
        } catch {
            await subject.close()
            throw error
        }
    }
}

/// A falsified reply, and the case that has to see it.
struct PlantedFault: Sendable, CustomTestStringConvertible {
    let test: String
    /// Calls that are answered with an empty reply and not handed on.
    var swallowed: Set<String> = []
    let change: @Sendable (inout any Message) -> Void

    var testDescription: String { test }

    init<Reply: Message>(_ test: String, _ change: @escaping @Sendable (inout Reply) -> Void) {
        self.test = test
        self.change = { message in
            guard var reply = message as? Reply else { return }
            change(&reply)
            message = reply
        }
    }

    init(_ test: String, swallowing names: Set<String>) {
        self.test = test
        swallowed = names
        change = { _ in }
    }

    /// Where its controller is missing, a case is skipped whatever the reply.
    static let all = always + (Host.has("memory") ? ofMemory : [])

    private static let ofMemory: [PlantedFault] = [
        PlantedFault("metrics.memory") { (reply: inout Runtime_V1_ListPodSandboxMetricsResponse) in
            for pod in reply.podMetrics.indices {
                for container in reply.podMetrics[pod].containerMetrics.indices {
                    reply.podMetrics[pod].containerMetrics[container].metrics.removeAll {
                        $0.name == "container_memory_max_usage_bytes"
                    }
                }
            }
        }
    ]

    private static let always: [PlantedFault] = [
        PlantedFault("errors.pod-status-unknown", swallowing: ["PodSandboxStatus"]),
        PlantedFault("log.reopen-missing", swallowing: ["ReopenContainerLog"]),
        PlantedFault("streaming.exec-no-stream", swallowing: ["Exec"]),
        PlantedFault("resources.unified-unknown", swallowing: ["CreateContainer", "StartContainer"]),
        PlantedFault("stats.container", swallowing: ["ContainerStats"]),
        PlantedFault("metrics.described", swallowing: ["ListMetricDescriptors"]),
        PlantedFault("metrics.names", swallowing: ["ListMetricDescriptors"]),
        PlantedFault("metrics.names") { (reply: inout Runtime_V1_ListMetricDescriptorsResponse) in
            reply.descriptors.removeAll { $0.name == "container_memory_usage_bytes" }
        },
        PlantedFault("metrics.container") { (reply: inout Runtime_V1_ListPodSandboxMetricsResponse) in
            for index in reply.podMetrics.indices { reply.podMetrics[index].containerMetrics = [] }
        },
        PlantedFault("metrics.described") { (reply: inout Runtime_V1_ListPodSandboxMetricsResponse) in
            for index in reply.podMetrics.indices where !reply.podMetrics[index].metrics.isEmpty {
                reply.podMetrics[index].metrics[0].labelValues.removeLast()
            }
        },
        PlantedFault("metrics.network") { (reply: inout Runtime_V1_ListPodSandboxMetricsResponse) in
            for index in reply.podMetrics.indices { reply.podMetrics[index].metrics = [] }
        },
        PlantedFault("metrics.stream") { (reply: inout Runtime_V1_StreamPodSandboxMetricsResponse) in
            reply.podSandboxMetrics += reply.podSandboxMetrics
        },
        PlantedFault("events.life", swallowing: ["GetContainerEvents"]),
        PlantedFault("events.life") { (reply: inout Runtime_V1_ContainerEventResponse) in
            if reply.containerEventType == .containerStoppedEvent { reply.createdAt = 0 }
        },
        PlantedFault("events.sandbox") { (reply: inout Runtime_V1_ContainerEventResponse) in
            if reply.containerEventType == .containerCreatedEvent { reply.containerID = "0" }
        },
        PlantedFault("events.content") { (reply: inout Runtime_V1_ContainerEventResponse) in
            reply.containersStatuses = []
        },
        PlantedFault("identity.pod-status") { (reply: inout Runtime_V1_PodSandboxStatusResponse) in
            reply.status.labels["odd"] = "changed"
        },
        PlantedFault("images.absent-status") { (reply: inout Runtime_V1_ImageStatusResponse) in
            reply.image.id = "sha256:0"
        },
        PlantedFault("idempotence.stop-pod-twice") { (reply: inout Runtime_V1_PodSandboxStatusResponse) in
            reply.status.state = .sandboxReady
        },
        PlantedFault("exit.failure") { (reply: inout Runtime_V1_ContainerStatusResponse) in
            reply.status.exitCode = 0
        },
        PlantedFault("process.exec-identity") { (reply: inout Runtime_V1_ExecSyncResponse) in
            reply.stdout = Data("0 / \n".utf8)
        },
        PlantedFault("sandbox.ip") { (reply: inout Runtime_V1_PodSandboxStatusResponse) in
            reply.status.network.ip = "192.0.2.1"
        },
        PlantedFault("mounts.own-layer") { (reply: inout Runtime_V1_ExecSyncResponse) in
            reply.stdout = Data("seen\n".utf8)
        },
        PlantedFault("kubelet.node-start") { (reply: inout Runtime_V1_StatusResponse) in
            reply.status.conditions.removeAll { $0.type == "NetworkReady" }
        },
        PlantedFault("kubelet.image-collection") { (reply: inout Runtime_V1_ListContainersResponse) in
            for index in reply.containers.indices { reply.containers[index].imageID = "" }
        },
        PlantedFault("kubelet.stats") { (reply: inout Runtime_V1_ListPodSandboxStatsResponse) in
            for index in reply.stats.indices { reply.stats[index].linux.network.clearDefaultInterface() }
        },
        PlantedFault("kubelet.streamed-lists") { (reply: inout Runtime_V1_StreamImagesResponse) in
            reply.images += reply.images
        },
        PlantedFault("kubelet.garbage-collection") { (reply: inout Runtime_V1_ListPodSandboxResponse) in
            reply.items.append(.init())
        },
    ]

    /// A server that hands every call on and falsifies its reply.
    func methods(_ client: GRPCClient) -> [GRPCMethod] {
        func forward<Request: Message, Reply: Message>(_ method: CRIMethod<Request, Reply>) -> GRPCMethod {
            .unary(method.path) { (request: Request, _) in
                if swallowed.contains(method.name) { return Reply() }
                var message: any Message = try await client.unary(
                    method.path, request, as: Reply.self, timeout: .seconds(60))
                change(&message)
                guard let reply = message as? Reply else { throw GRPCStatus(code: .internal, message: "type") }
                return reply
            }
        }
        func forwardStream<Request: Message, Reply: Message>(_ method: CRIMethod<Request, Reply>) -> GRPCMethod {
            .serverStream(method.path) { (request: Request, _, writer: ResponseWriter<Reply>) in
                try await writer.start()
                if swallowed.contains(method.name) { return }
                let replies: ResponseStream<Reply> = try client.serverStream(method.path, request)
                for try await reply in replies {
                    var message: any Message = reply
                    change(&message)
                    guard let changed = message as? Reply else { throw GRPCStatus(code: .internal, message: "type") }
                    try await writer.write(changed)
                }
            }
        }
        return [
            forward(CRIMethods.version), forward(CRIMethods.runPodSandbox), forward(CRIMethods.stopPodSandbox),
            forward(CRIMethods.removePodSandbox), forward(CRIMethods.podSandboxStatus),
            forward(CRIMethods.listPodSandbox), forward(CRIMethods.createContainer),
            forward(CRIMethods.startContainer), forward(CRIMethods.stopContainer),
            forward(CRIMethods.removeContainer), forward(CRIMethods.listContainers),
            forward(CRIMethods.containerStatus), forward(CRIMethods.execSync), forward(CRIMethods.imageStatus),
            forward(CRIMethods.pullImage), forward(CRIMethods.removeImage), forward(CRIMethods.exec),
            forward(CRIMethods.reopenContainerLog), forward(CRIMethods.containerStats),
            forward(CRIMethods.listMetricDescriptors), forward(CRIMethods.listPodSandboxMetrics),
            forward(CRIMethods.status), forward(CRIMethods.runtimeConfig), forward(CRIMethods.updateRuntimeConfig),
            forward(CRIMethods.imageFsInfo), forward(CRIMethods.listImages), forward(CRIMethods.listPodSandboxStats),
            forwardStream(CRIMethods.streamPodSandboxes), forwardStream(CRIMethods.streamContainers),
            forwardStream(CRIMethods.streamImages),
            forwardStream(CRIMethods.streamPodSandboxMetrics), forwardStream(CRIMethods.getContainerEvents),
        ]
    }
}
