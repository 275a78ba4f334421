import Foundation
import TestKit
import Testing

/// The server against a client of another implementation: Python's grpcio, which stands on gRPC's C core.
@Suite(.timeLimit(.minutes(10))) struct InteropTests {
    @Test func `grpcio and the server understand each other`() async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/grpc/interop.py")
        try await TestServer.with { server in
            let result = try await PythonGRPC.run(script.path, server.path)
            #expect(result.status == 0, "\(result.output)")
            #expect(result.output.split(separator: "\n").count { $0.hasPrefix("passed ") } == 12, "\(result.output)")
        }
    }
}
