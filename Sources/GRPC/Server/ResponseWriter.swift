import NIOCore
package import SwiftProtobuf

/// Sends the messages of a server stream.
package struct ResponseWriter<Response: Message>: Sendable {
    let sink: ResponseSink

    /// Sends the response headers now rather than with the first message, so that the client knows that the body runs.
    package func start() async throws(GRPCStatus) {
        try await sink.send(nil)
    }

    /// Sends a message, and returns when the client keeps up: while its window is full, the caller waits here.
    ///
    /// - Throws: CANCELLED once the call has ended, RESOURCE_EXHAUSTED if the message is too large.
    package func write(_ message: Response) async throws(GRPCStatus) {
        try await sink.send(try MessageCoding.frame(message))
    }
}

/// The way from a method body's task to its stream on the event loop.
struct ResponseSink: Sendable {
    let call: NIOLoopBound<ServerCall>
    let loop: any EventLoop

    /// Sends a framed message, or only the headers.
    func send(_ message: ByteBuffer?) async throws(GRPCStatus) {
        let failure: GRPCStatus? = await withCheckedContinuation { waiter in
            loop.execute { call.value.send(message, waiter: waiter) }
        }
        if let failure { throw failure }
    }
}
