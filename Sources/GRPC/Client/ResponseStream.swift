package import SwiftProtobuf

/// The messages of a server-streaming call. Leaving the loop, or letting go of the stream, cancels the call.
package struct ResponseStream<Response: Message>: AsyncSequence, Sendable {
    package typealias Element = Response
    package typealias Failure = GRPCStatus

    let inbox: ResponseInbox

    package func makeAsyncIterator() -> Iterator {
        Iterator(inbox: inbox)
    }

    /// Reads the stream; one iterator at a time.
    package struct Iterator: AsyncIteratorProtocol {
        let inbox: ResponseInbox

        /// The next message, or nil when the server ended the stream with OK.
        package func next() async throws(GRPCStatus) -> Response? {
            guard let bytes = try await inbox.next().get() else { return nil }
            return try MessageCoding.decode(bytes, as: Response.self)
        }

        /// The same, as AsyncSequence asks for it.
        package func next(isolation actor: isolated (any Actor)?) async throws(GRPCStatus) -> Response? {
            try await next()
        }
    }
}
