import CRIProto
import GRPC
import SwiftProtobuf
import SwiftletAPI
import TestKit
import Testing

@testable import swiftlet

/// Probes by gRPC's health service.
@Suite(.timeLimit(.minutes(2))) struct HealthProbeTests {
    private let check = GRPCMethod.unary(HealthMethods.check.path) {
        (request: GRPCHealthCheckRequest, _) throws(GRPCStatus) -> GRPCHealthCheckResponse in
        guard ["", "busy"].contains(request.service) else {
            throw GRPCStatus(code: .notFound, message: "no service \"\(request.service)\"")
        }
        return .with { $0.status = request.service.isEmpty ? .serving : .notServing }
    }

    private func probe(_ port: Int, _ service: String = "") async -> String? {
        await HealthProbe.check(host: "127.0.0.1", port: port, service: service, within: .seconds(60))
    }

    @Test("a service that is SERVING is good, all else is said")
    func answers() async throws {
        let socket = try LoopbackSocket()
        let server = try await GRPCServer.start([check], at: .descriptor(socket.descriptor))
        #expect(await probe(socket.port) == nil)
        #expect(await probe(socket.port, "busy") == "the service is notServing")
        #expect(await probe(socket.port, "none")?.hasSuffix("no service \"none\"") == true)
        #expect(await server.shutdown(grace: .seconds(10)) == 0)
        #expect(await probe(socket.port)?.contains("refused") == true)
    }
}
