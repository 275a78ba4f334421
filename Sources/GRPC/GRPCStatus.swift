/// How a call ended: a code and a sentence for people (https://github.com/grpc/grpc/blob/master/doc/statuscodes.md).
package struct GRPCStatus: Error, Sendable, Hashable {
    /// The codes that gRPC defines; the raw values are those on the wire.
    package enum Code: Int, Sendable, CaseIterable {
        case ok = 0
        case cancelled = 1
        case unknown = 2
        case invalidArgument = 3
        case deadlineExceeded = 4
        case notFound = 5
        case alreadyExists = 6
        case permissionDenied = 7
        case resourceExhausted = 8
        case failedPrecondition = 9
        case aborted = 10
        case outOfRange = 11
        case unimplemented = 12
        case `internal` = 13
        case unavailable = 14
        case dataLoss = 15
        case unauthenticated = 16
    }

    package var code: Code
    package var message: String

    /// A serialized `google.rpc.Status`, sent as `grpc-status-details-bin`; empty means none.
    package var details: [UInt8]

    package init(code: Code, message: String = "", details: [UInt8] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    /// The status of a call that succeeded.
    package static let ok = GRPCStatus(code: .ok)

    /// The status that an error thrown by a method body becomes: itself, CANCELLED, or UNKNOWN with its description.
    init(thrown error: any Error) {
        switch error {
        case let status as GRPCStatus: self = status
        case is CancellationError: self.init(code: .cancelled, message: "the call was cancelled")
        default: self.init(code: .unknown, message: "\(error)")
        }
    }
}

extension GRPCStatus: CustomStringConvertible {
    package var description: String { message.isEmpty ? "\(code)" : "\(code): \(message)" }
}
