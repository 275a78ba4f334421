import CRIProto
import GRPC
import SwiftProtobuf

/// A connection to the daemon under test.
struct CRIClient: Sendable {
    private let client: GRPCClient

    init(socket: String) async throws {
        client = try await GRPCClient(unixPath: socket)
    }

    func call<Request: Message, Response: Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request, timeout: Duration = .seconds(60)
    ) async throws -> Response {
        try await client.unary(method.path, request, timeout: timeout)
    }

    func close() async { await client.close() }
}

extension Node {
    /// Calls a method over the node's connection.
    @discardableResult
    func call<Request: Message, Response: Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request, timeout: Duration = .seconds(60)
    ) async throws -> Response {
        try await client().call(method, request, timeout: timeout)
    }

    /// Calls a method that has to fail, and returns how.
    func refusal<Request: Message, Response: Message>(
        of method: CRIMethod<Request, Response>, _ request: Request
    ) async throws -> GRPCStatus {
        do {
            _ = try await client().call(method, request)
            return .ok
        } catch let status as GRPCStatus {
            return status
        }
    }
}
