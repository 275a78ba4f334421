package import LaunchProtocol
package import Linux

/// Why a supervisor did not do what it was asked to.
package enum SupervisorError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nobody listens on the control socket: the supervisor has ended, or never was.
    case notListening(Errno)
    /// Who listens is not the pod's supervisor.
    case wrongPeer(String)
    /// The supervisor has ended, or another daemon took over.
    case connectionLost
    /// It did not answer in time; what was asked may still happen.
    case deadlineExceeded(operation: String)
    /// Requests pile up unread.
    case notReading
    /// It said something that is no answer to what was asked.
    case protocolViolation(String)
    /// It understood, and refused.
    case refused(operation: String, errno: Errno, detail: String)
    /// A step of the plan failed.
    case stepFailed(index: UInt32, errno: Errno, detail: Bytes)
    /// The value cannot be sent.
    case unsendable(WireError)
    /// A call of this process failed.
    case kernel(operation: String, Errno)

    package var description: String {
        switch self {
        case .notListening(let errno): "connect to the supervisor: \(errno)"
        case .wrongPeer(let why): "connect to the supervisor: \(why)"
        case .connectionLost: "the supervisor's connection is lost"
        case .deadlineExceeded(let operation): "\(operation): the supervisor did not answer in time"
        case .notReading: "the supervisor does not read its requests"
        case .protocolViolation(let what): "the supervisor sent \(what)"
        case .refused(let operation, let errno, let detail):
            "\(operation): the supervisor refused: \(errno)" + (detail.isEmpty ? "" : " (\(detail))")
        case .stepFailed(let index, let errno, let detail):
            "step \(index) failed: \(errno) (\(String(decoding: detail, as: UTF8.self)))"
        case .unsendable(let error): "encode a request: \(error)"
        case .kernel(let operation, let errno): "\(operation): \(errno)"
        }
    }
}

/// Why a supervisor did not come into the world.
package enum SpawnError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Its own words; `BirthFailure` tells the step.
    case birthFailed(BirthFailure)
    /// It was killed.
    case deadlineExceeded
    /// It ended without a word.
    case ended(ExitStatus)
    /// The plan cannot be sent.
    case unsendable(WireError)
    /// A call of this process failed.
    case kernel(operation: String, Errno)

    package var description: String {
        switch self {
        case .birthFailed(let failure):
            "birth of the supervisor, step \(failure.stepIndex): \(Errno(failure.errno)) "
                + "(\(String(decoding: failure.detail, as: UTF8.self)))"
        case .deadlineExceeded: "birth of the supervisor: not done in time"
        case .ended(let status): "birth of the supervisor: ended with status \(status.code)"
        case .unsendable(let error): "encode the birth plan: \(error)"
        case .kernel(let operation, let errno): "\(operation): \(errno)"
        }
    }
}
