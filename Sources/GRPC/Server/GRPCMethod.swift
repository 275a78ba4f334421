import NIOCore
package import SwiftProtobuf

/// One entry of a server's table: a path and the body that answers it.
package struct GRPCMethod: Sendable {
    enum Body: Sendable {
        case inline(@Sendable ([UInt8], CallContext) throws(GRPCStatus) -> ByteBuffer)
        case unary(@Sendable ([UInt8], CallContext) async throws -> ByteBuffer)
        case serverStream(@Sendable ([UInt8], CallContext, ResponseSink) async throws -> Void)

        /// Runs the body to its end: the last message to send, if any, or the status of its failure.
        func run(
            _ request: [UInt8], _ context: CallContext, _ sink: ResponseSink
        ) async -> Result<ByteBuffer?, GRPCStatus> {
            do {
                switch self {
                case .inline(let body): return .success(try body(request, context))
                case .unary(let body): return .success(try await body(request, context))
                case .serverStream(let body):
                    try await body(request, context, sink)
                    return .success(nil)
                }
            } catch {
                return .failure(GRPCStatus(thrown: error))
            }
        }
    }

    package let path: String
    let body: Body
    /// Where the body runs, if it is not inline; nil = where the server's bodies do.
    private(set) var executor: (any TaskExecutor)?

    /// The same method with its body on an executor of its own: the thread that the answer comes from, which saves the changes
    /// of threads of a call that is made often.
    package func running(on executor: any TaskExecutor) -> GRPCMethod {
        var method = self
        method.executor = executor
        return method
    }

    /// A method answered on the event loop itself: for answers from memory that take microseconds, because every other
    /// call waits meanwhile.
    package static func inline<Request: Message, Response: Message>(
        _ path: String, _ body: @escaping @Sendable (Request, CallContext) throws(GRPCStatus) -> Response
    ) -> GRPCMethod {
        GRPCMethod(
            path: path,
            body: .inline { bytes, context throws(GRPCStatus) in
                try MessageCoding.frame(try body(try MessageCoding.decode(bytes, as: Request.self), context))
            })
    }

    /// A method answered in a task of its own, which is cancelled when the call ends early.
    package static func unary<Request: Message, Response: Message>(
        _ path: String, _ body: @escaping @Sendable (Request, CallContext) async throws -> Response
    ) -> GRPCMethod {
        GRPCMethod(
            path: path,
            body: .unary { bytes, context in
                try MessageCoding.frame(try await body(try MessageCoding.decode(bytes, as: Request.self), context))
            })
    }

    /// A method that answers with any number of messages; the call ends when the body returns.
    package static func serverStream<Request: Message, Response: Message>(
        _ path: String,
        _ body: @escaping @Sendable (Request, CallContext, ResponseWriter<Response>) async throws -> Void
    ) -> GRPCMethod {
        GRPCMethod(
            path: path,
            body: .serverStream { bytes, context, sink in
                try await body(try MessageCoding.decode(bytes, as: Request.self), context, ResponseWriter(sink: sink))
            })
    }
}
