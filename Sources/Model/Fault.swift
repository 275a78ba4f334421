/// An error that a client of the CRI may see: a code that software acts on, and a sentence for people.
///
/// Components below `Lifecycle` throw errors of their own; the component that knows why an operation failed turns them into a
/// `Fault` once. `CRIService` maps `code` to a gRPC status once.
package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
    /// What went wrong, in the vocabulary of gRPC status codes.
    package enum Code: String, Sendable, CaseIterable {
        case cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied
        case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, `internal`, unavailable,
            dataLoss
        case unauthenticated
    }

    package var code: Code
    /// Lower case, no full stop, operation first, values quoted.
    package var message: String
    /// What the operation ran into, as the failing component said it; joined to the message with a colon.
    package var cause: String?

    package init(_ code: Code, _ message: String, cause: String? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The sentence that a client sees.
    package var description: String {
        guard let cause, !cause.isEmpty else { return message }
        return "\(message): \(cause)"
    }

    package static func invalid(_ message: String) -> Fault { Fault(.invalidArgument, message) }
    package static func notFound(_ message: String) -> Fault { Fault(.notFound, message) }
    package static func precondition(_ message: String) -> Fault { Fault(.failedPrecondition, message) }
    package static func `internal`(_ message: String, cause: String? = nil) -> Fault {
        Fault(.internal, message, cause: cause)
    }
    package static func unimplemented(_ message: String) -> Fault { Fault(.unimplemented, message) }
}
