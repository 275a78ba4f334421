package import CRIProto
package import GRPC
package import SwiftProtobuf

/// A connection to a CRI service whose errors are sentences for the user.
package struct CRIConnection: Sendable {
    /// Told about every call at its end: name, time, result.
    package typealias Trace = @Sendable (String) -> Void

    package let endpoint: Endpoint
    /// The bare client, for callers that want codes instead of sentences.
    package let client: GRPCClient
    private let trace: Trace?

    /// Connects to a socket.
    package static func open(_ endpoint: Endpoint, trace: Trace? = nil) async throws(Failure) -> CRIConnection {
        do {
            return CRIConnection(
                endpoint: endpoint, client: try await GRPCClient(unixPath: endpoint.path), trace: trace)
        } catch {
            throw Failure("cannot reach the runtime at \(endpoint): \(Self.advice(error.reason))")
        }
    }

    /// Calls a method; `operation` begins the sentence of a failure.
    package func call<Request: Message, Response: Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request, within limit: Duration?, to operation: String
    ) async throws(Failure) -> Response {
        let start = ContinuousClock.now
        do {
            let response: Response = try await client.unary(method.path, request, timeout: limit)
            trace?("\(method.name) \(durationText(ContinuousClock.now - start)) ok")
            return response
        } catch {
            trace?("\(method.name) \(durationText(ContinuousClock.now - start)) \(error)")
            throw Failure("\(operation): \(Self.sentence(error, within: limit))", code: error.code)
        }
    }

    /// Ends the connection.
    package func close() async { await client.close() }

    // MARK: - Sentences

    private static func advice(_ reason: ConnectError.Reason) -> String {
        switch reason {
        case .noSuchFile: "there is no such socket (is the daemon running, and is this its --runtime-endpoint?)"
        case .permissionDenied: "permission denied (the socket is for root and its group)"
        case .refused: "nobody listens on the socket (is the daemon running?)"
        case .pathTooLong: "the path is longer than a socket's may be"
        case .other(let text): text
        }
    }

    /// A failed call in plain words; what the runtime said is kept to a length that fits a terminal.
    private static func sentence(_ status: GRPCStatus, within limit: Duration?) -> String {
        let said = String(status.message.prefix(4096))
        return switch status.code {
        case .deadlineExceeded where said.isEmpty || limit != nil:
            "no answer" + (limit.map { " within \(durationText($0))" } ?? "") + (said.isEmpty ? "" : " (\(said))")
        case .unavailable: "the runtime is not available" + (said.isEmpty ? "" : ": \(said)")
        case .unimplemented: "the runtime does not support this" + (said.isEmpty ? "" : " (\(said))")
        case .permissionDenied, .unauthenticated: "permission denied" + (said.isEmpty ? "" : ": \(said)")
        case .ok: "the runtime answered OK without a reply"
        default: said.isEmpty ? "the runtime says \(status.code)" : said
        }
    }
}
