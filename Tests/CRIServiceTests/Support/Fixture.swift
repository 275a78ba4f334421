import CRIProto
import CRIService
import Foundation
import GRPC
import Lifecycle
import Logging
import Model
import SwiftProtobuf
import TestFakes
import TestKit

/// How a call ended.
struct Outcome: Sendable {
    var code: GRPCStatus.Code
    var message: String
    /// The answer as JSON with sorted keys; of a stream, all of its messages.
    var response: String

    var isOK: Bool { code == .ok }
}

/// The CRI's services on a node in memory, served on a socket and called through it.
final class Fixture: Sendable {
    let node = FakeNode()
    let images = FakeImageService()
    let statistics = FakeStatistics()
    let recorder = Recorder()
    let streaming: FakeStreaming
    let runtime: Runtime
    let service: CRIService
    let client: GRPCClient
    private let server: GRPCServer
    private let directory: TemporaryRoot

    /// The filters of libseccomp are compiled once for all tests.
    private static let settings = FakeNode().settings

    private init() async throws {
        node.addImage("busybox") { $0.volumes = ["/data"] }
        node.addImage("other")
        runtime = Runtime(ports: node.ports.recorded(by: recorder), settings: Self.settings)
        node.deliver(to: runtime)
        streaming = FakeStreaming(recorder: recorder)
        service = CRIService(
            runtime: runtime, images: images, statistics: statistics, streaming: streaming,
            identity: .init(
                name: "swiftlet", version: "1.2.3", nodeHostname: "node",
                configurationJSON: { "{\"stateDir\":\"/run/swiftlet\"}" }),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        directory = try TemporaryRoot("cri")
        let path = directory.path("cri.sock")
        server = try await GRPCServer.start(service.methods(), at: .unix(path: path))
        client = try await GRPCClient(unixPath: path)
    }

    /// Runs `body` on a fresh node, and takes server and client down whatever happens.
    static func run<Value>(_ body: (Fixture) async throws -> Value) async throws -> Value {
        let fixture = try await Fixture()
        do {
            let value = try await body(fixture)
            await fixture.end()
            return value
        } catch {
            await fixture.end()
            throw error
        }
    }

    private func end() async {
        await client.close()
        runtime.inventory.events.close()
        _ = await server.shutdown(grace: .seconds(5))
    }

    // MARK: Calls

    /// Calls a method by name with a request in JSON (names as in the proto file).
    func call(_ name: String, _ request: JSON = [:]) async throws -> Outcome {
        guard let method = CRIMethods.all.first(where: { $0.name == name }) else {
            throw TestFailure("no method \(name)")
        }
        return try await call(method, request.text, method.request, method.response)
    }

    private func call<Request: SwiftProtobuf.Message, Response: SwiftProtobuf.Message>(
        _ method: AnyCRIMethod, _ json: String, _: Request.Type, _: Response.Type
    ) async throws -> Outcome {
        let request = try Request(jsonString: json)
        var options = JSONEncodingOptions()
        options.useDeterministicOrdering = true
        do {
            guard method.isServerStreaming else {
                let response: Response = try await client.unary(method.path, request)
                return Outcome(code: .ok, message: "", response: try response.jsonString(options: options))
            }
            var texts: [String] = []
            let responses: ResponseStream<Response> = try client.serverStream(method.path, request)
            for try await response in responses {
                texts.append(try response.jsonString(options: options))
            }
            return Outcome(code: .ok, message: "", response: texts.joined(separator: "\n"))
        } catch let status as GRPCStatus {
            return Outcome(code: status.code, message: status.message, response: "")
        }
    }

    /// A typed call that has to succeed.
    func send<Request, Response>(_ method: CRIMethod<Request, Response>, _ change: (inout Request) -> Void = { _ in })
        async throws -> Response
    {
        var request = Request()
        change(&request)
        return try await client.unary(method.path, request)
    }

    /// Id of a new sandbox.
    func runPod(_ request: JSON = Requests.pod) async throws -> String {
        let outcome = try await call("RunPodSandbox", request)
        guard outcome.isOK else { throw TestFailure("RunPodSandbox: \(outcome.code) \(outcome.message)") }
        return try Runtime_V1_RunPodSandboxResponse(jsonString: outcome.response).podSandboxID
    }

    /// Id of a new container, running if asked for.
    func container(in pod: String, named name: String = "main", start: Bool = false) async throws -> String {
        let outcome = try await call(
            "CreateContainer",
            ["pod_sandbox_id": .string(pod), "config": Requests.container.with("metadata.name", .string(name))])
        guard outcome.isOK else { throw TestFailure("CreateContainer: \(outcome.code) \(outcome.message)") }
        let id = try Runtime_V1_CreateContainerResponse(jsonString: outcome.response).containerID
        if start {
            let started = try await call("StartContainer", ["container_id": .string(id)])
            guard started.isOK else { throw TestFailure("StartContainer: \(started.code) \(started.message)") }
        }
        return id
    }
}
