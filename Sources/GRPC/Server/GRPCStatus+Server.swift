/// The statuses that the server gives by itself.
extension GRPCStatus {
    static let callHasEnded = GRPCStatus(code: .cancelled, message: "the call has ended")
    static let clientEndedCall = GRPCStatus(code: .cancelled, message: "the client ended the call")
    static let deadlinePassed = GRPCStatus(code: .deadlineExceeded, message: "the deadline has passed")
    static let tooManyBodies = GRPCStatus(code: .resourceExhausted, message: "too many calls are running")
    static let tooManyBytes = GRPCStatus(
        code: .resourceExhausted, message: "the server holds too many bytes of other calls")
}
