package import GRPC

/// An error that ends the program: a sentence for standard error and an exit status.
package struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Exit status of something that went wrong.
    package static let failed: Int32 = 1
    /// Exit status of arguments that make no sense.
    package static let misused: Int32 = 2

    /// Lower case, no full stop, operation first, values quoted; empty if there is nothing to say.
    package var message: String
    package var exitStatus: Int32
    /// What the runtime answered, if it was the runtime that failed.
    package var code: GRPCStatus.Code?

    package init(_ message: String, exitStatus: Int32 = Failure.failed, code: GRPCStatus.Code? = nil) {
        self.message = message
        self.exitStatus = exitStatus
        self.code = code
    }

    /// Arguments that make no sense.
    package static func usage(_ message: String) -> Failure {
        Failure(message, exitStatus: misused)
    }

    /// Ends the program with the exit status of a process, saying nothing.
    package static func silent(exitStatus: Int32) -> Failure {
        Failure("", exitStatus: exitStatus)
    }

    package var description: String { message }
}
