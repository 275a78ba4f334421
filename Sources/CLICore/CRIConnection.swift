package import CRIProto
import GRPC
package import SwiftProtobuf
import Synchronization

/// A connection to a CRI service whose errors are sentences for the user.
package final class CRIConnection: Sendable {
    /// Told about every call at its end: name, time, result.
    package typealias Trace = @Sendable (String) -> Void

    /// How long to wait before a call to a runtime that was away is tried again.
    private static let retryPause = Duration.milliseconds(100)

    package let endpoint: Endpoint
    private let client: Mutex<GRPCClient>
    private let trace: Trace?

    private init(endpoint: Endpoint, client: GRPCClient, trace: Trace?) {
        self.endpoint = endpoint
        self.client = Mutex(client)
        self.trace = trace
    }

    /// Connects to a socket.
    package static func open(_ endpoint: Endpoint, trace: Trace? = nil) async throws(Failure) -> CRIConnection {
        do {
            let client = try await GRPCClient(unixPath: endpoint.path)
            return CRIConnection(endpoint: endpoint, client: client, trace: trace)
        } catch {
            throw Failure("cannot reach the runtime at \(endpoint): \(Self.advice(error.reason, endpoint))")
        }
    }

    /// Calls a method; `operation` begins the sentence of a failure.
    ///
    /// With `patience` the call is made again for so long while the runtime is not available, over new connections: for
    /// calls that may be made twice, by commands that outlive a restart of the daemon.
    package func call<Request: Message, Response: Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request, within limit: Duration?,
        patience: Duration = .zero, to operation: String
    ) async throws(Failure) -> Response {
        let giveUp = ContinuousClock.now + patience
        while true {
            let start = ContinuousClock.now
            let client = client.withLock { $0 }
            do {
                let response: Response = try await client.unary(method.path, request, timeout: limit)
                trace?("\(method.name) \(durationText(ContinuousClock.now - start)) ok")
                return response
            } catch {
                trace?("\(method.name) \(durationText(ContinuousClock.now - start)) \(error)")
                guard error.code == .unavailable, ContinuousClock.now < giveUp, await renew(client) else {
                    let isLate = limit.map { ContinuousClock.now - start >= $0 } ?? false
                    let sentence =
                        isLate && error.code == .deadlineExceeded
                        ? "no answer within \(durationText(limit ?? .zero))" : Self.sentence(error)
                    throw Failure(Self.joined(operation, sentence), code: error.code)
                }
            }
        }
    }

    /// Calls a method that answers with a stream and hands on each message; returns when the runtime ends the stream.
    package func stream<Request: Message, Response: Message>(
        _ method: CRIMethod<Request, Response>, _ request: Request, to operation: String,
        _ body: (Response) async throws -> Void
    ) async throws {
        let start = ContinuousClock.now
        let client = client.withLock { $0 }
        do {
            let stream: ResponseStream<Response> = try client.serverStream(method.path, request)
            var count = 0
            for try await message in stream {
                count += 1
                try await body(message)
            }
            trace?("\(method.name) \(durationText(ContinuousClock.now - start)) ok, \(count) messages")
        } catch let status as GRPCStatus {
            trace?("\(method.name) \(durationText(ContinuousClock.now - start)) \(status)")
            throw Failure(Self.joined(operation, Self.sentence(status)), code: status.code)
        }
    }

    /// Ends the connection.
    package func close() async { await client.withLock { $0 }.close() }

    /// Waits a little and puts a new connection in the place of a lost one, if the runtime takes one; false when cancelled.
    private func renew(_ lost: GRPCClient) async -> Bool {
        do { try await Task.sleep(for: Self.retryPause) } catch { return false }
        do {
            let fresh = try await GRPCClient(unixPath: endpoint.path)
            let unused = client.withLock { current in
                // Another call may have been quicker.
                guard current === lost else { return fresh }
                current = fresh
                return lost
            }
            await unused.close()
        } catch {
            return true
        }
        return true
    }

    // MARK: - Sentences

    private static func advice(_ reason: ConnectError.Reason, _ endpoint: Endpoint) -> String {
        switch reason {
        case .noSuchFile: "there is no such socket (is the daemon running, and is this its --runtime-endpoint?)"
        case .permissionDenied: "permission denied (the socket is for root and its group)"
        // Connecting to what is no socket is refused, too (unix(7)).
        case .refused where !endpoint.isSocket: "this is not a socket"
        case .refused: "nobody listens on the socket (is the daemon running?)"
        case .pathTooLong: "the path is longer than a socket's may be"
        case .other(let text): text
        }
    }

    /// A failed call in plain words; what the runtime said is kept to a length that fits a terminal.
    private static func sentence(_ status: GRPCStatus) -> String {
        let said = String(status.message.prefix(4096))
        return switch status.code {
        case .unavailable: "the runtime is not available" + (said.isEmpty ? "" : ": \(said)")
        case .unimplemented: "the runtime does not support this" + (said.isEmpty ? "" : " (\(said))")
        case .permissionDenied, .unauthenticated: "permission denied" + (said.isEmpty ? "" : ": \(said)")
        case .ok: "the runtime answered OK without a reply"
        default: said.isEmpty ? "the runtime says \(status.code)" : said
        }
    }

    /// Operation and reason; a runtime that begins its sentence with the same two words has named the operation itself.
    package static func joined(_ operation: String, _ sentence: String) -> String {
        let words = operation.split(separator: " ").prefix(2).joined(separator: " ")
        return sentence.hasPrefix(words) ? sentence : "\(operation): \(sentence)"
    }
}
