import CRIProto
import Foundation
import GRPC
import SwiftProtobuf
import SwiftletAPI
import Synchronization
import TestKit
import Testing

@testable import swiftletd

@Suite(.timeLimit(.minutes(5))) struct HealthTests {
    private typealias Response = GRPCHealthCheckResponse

    /// Lets `body` use a health service behind a gate that refuses what a recovering daemon refuses.
    private func withHealth(_ body: (HealthService, GRPCClient) async throws -> Void) async throws {
        let root = try TemporaryRoot()
        let health = HealthService()
        var settings = GRPCServerConfiguration()
        settings.gate = {
            NodeService.isAnsweredWhileRecovering($0) ? nil : GRPCStatus(code: .unavailable, message: "")
        }
        let server = try await GRPCServer.start(
            health.methods(), at: .unix(path: root.path("s"), mode: 0o600, userID: 0, groupID: 0),
            configuration: settings)
        let client = try await GRPCClient(unixPath: root.path("s"))
        do { try await body(health, client) } catch { Issue.record("\(error)") }
        health.end()
        await client.close()
        #expect(await server.shutdown(grace: .seconds(10)) == 0)
    }

    private func check(_ client: GRPCClient, _ service: String) async throws -> Response.ServingStatus {
        try await client.unary(
            HealthMethods.check.path, GRPCHealthCheckRequest.with { $0.service = service }, as: Response.self
        ).status
    }

    private func watch(_ client: GRPCClient, _ service: String) throws -> ResponseStream<Response> {
        try client.serverStream(HealthMethods.watch.path, GRPCHealthCheckRequest.with { $0.service = service })
    }

    @Test func `the server and each of its services serve once recovery is done, and not at the end`() async throws {
        try await withHealth { (health, client) async throws in
            for service in HealthService.services { #expect(try await check(client, service) == .notServing) }
            health.begin()
            for service in HealthService.services { #expect(try await check(client, service) == .serving) }
            health.end()
            for service in HealthService.services { #expect(try await check(client, service) == .notServing) }
            health.begin()
            #expect(try await check(client, "") == .notServing)
        }
    }

    @Test func `a service that is not there is not found, and watching it says so and goes on`() async throws {
        try await withHealth { (health, client) async throws in
            do {
                _ = try await check(client, "runtime.v1.None")
                Issue.record("found")
            } catch let status as GRPCStatus {
                #expect(status.code == .notFound && status.message.contains("runtime.v1.None"))
            }
            var states = try watch(client, "runtime.v1.None").makeAsyncIterator()
            #expect(try await states.next()?.status == .serviceUnknown)
            health.begin()
            health.end()
            await #expect(throws: GRPCStatus.self) {
                while try await states.next() != nil { Issue.record("told twice") }
            }
        }
    }

    @Test func `whoever watches hears each change once, and then the end`() async throws {
        try await withHealth { (health, client) async throws in
            var states = try watch(client, "swiftlet.v1.Node").makeAsyncIterator()
            #expect(try await states.next()?.status == .notServing)
            health.begin()
            #expect(try await states.next()?.status == .serving)
            health.begin()
            health.end()
            #expect(try await states.next()?.status == .notServing)
            do {
                _ = try await states.next()
                Issue.record("no end")
            } catch let status as GRPCStatus { #expect(status.code == .unavailable) }
            #expect(health.watcherCount == 0)
        }
    }

    @Test func `watching calls are bounded, and one that leaves makes room`() async throws {
        try await withHealth { (health, client) async throws in
            var watching: [ResponseStream<Response>.AsyncIterator] = []
            for _ in 0..<HealthService.watchersMax {
                var states = try watch(client, "").makeAsyncIterator()
                #expect(try await states.next()?.status == .notServing)
                watching.append(states)
            }
            var further = try watch(client, "").makeAsyncIterator()
            do {
                _ = try await further.next()
                Issue.record("no bound")
            } catch let status as GRPCStatus { #expect(status.code == .resourceExhausted) }
            #expect(health.watcherCount == HealthService.watchersMax)

            watching.removeAll()
            var another: Response.ServingStatus?
            while another == nil {
                var states = try watch(client, "").makeAsyncIterator()
                do { another = try await states.next()?.status } catch let status as GRPCStatus {
                    #expect(status.code == .resourceExhausted)
                }
            }
            #expect(another == .notServing)
        }
    }

    @Test func `a client that nobody here wrote sees the same`() async throws {
        let root = try TemporaryRoot()
        let health = HealthService()
        let daemon: [GRPCMethod] = [
            .unary("/test.Daemon/Begin") { (_: GRPCHealthCheckRequest, _) -> Response in
                health.begin()
                return Response()
            },
            .unary("/test.Daemon/End") { (_: GRPCHealthCheckRequest, _) -> Response in
                health.end()
                return Response()
            },
        ]
        let server = try await GRPCServer.start(
            health.methods() + daemon, at: .unix(path: root.path("s"), mode: 0o600, userID: getuid(), groupID: getgid())
        )
        let result = try await PythonGRPC.run(Golden.fixture("grpc/health.py"), root.path("s"))
        #expect(result.status == 0 && result.output == "passed\n", "\(result.output)")
        #expect(await server.shutdown(grace: .seconds(10)) == 0)
    }
}
