package import Model

/// Why a registry did not give what was asked for. No message ever holds a password or a token.
package enum RegistryError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No answer: name not resolved, connection refused, TLS failed, or the server kept failing (5xx).
    case unavailable(host: String, reason: String)
    /// The credentials, or their absence, were refused.
    case unauthorized(host: String, reason: String)
    case notFound(host: String, what: String)
    /// Nothing arrived for the configured time.
    case noProgress(host: String, timeout: Duration)
    /// Asked to come back later, and still so after all retries (429).
    case throttled(host: String)
    /// An HTTP status that no retry changes.
    case refused(host: String, status: Int, reason: String)
    /// An answer that breaks the protocol, or a redirect that is not followed.
    case malformed(host: String, reason: String)
    /// Other bytes than the digest names.
    case digestMismatch(host: String, expected: Digest)
    /// More or fewer bytes than the descriptor says.
    case sizeMismatch(host: String, expected: Int64, got: Int64)
    /// The host configuration of this machine cannot be used.
    case configuration(path: String, reason: String)

    package var description: String {
        switch self {
        case .unavailable(let host, let reason): "reach registry \"\(host)\": \(reason)"
        case .unauthorized(let host, let reason): "authenticate to registry \"\(host)\": \(reason)"
        case .notFound(let host, let what): "find \(what) in registry \"\(host)\": not found"
        case .noProgress(let host, let timeout): "read from registry \"\(host)\": nothing arrived for \(timeout)"
        case .throttled(let host): "ask registry \"\(host)\": too many requests"
        case .refused(let host, let status, let reason): "ask registry \"\(host)\": status \(status): \(reason)"
        case .malformed(let host, let reason): "read the answer of registry \"\(host)\": \(reason)"
        case .digestMismatch(let host, let expected):
            "verify \(expected) from registry \"\(host)\": the content has another digest"
        case .sizeMismatch(let host, let expected, let got):
            "read from registry \"\(host)\": \(got) bytes where \(expected) were announced"
        case .configuration(let path, let reason): "read registry configuration \"\(path)\": \(reason)"
        }
    }

    /// The error as a client of the CRI sees it. The kubelet recognises an unreachable registry by the prefix of its
    /// message (cri-api, pkg/errors).
    package var fault: Fault {
        switch self {
        case .unavailable: Fault(.unknown, "RegistryUnavailable: \(description)")
        case .unauthorized: Fault(.unauthenticated, description)
        case .notFound: Fault(.notFound, description)
        case .noProgress: Fault(.deadlineExceeded, description)
        case .throttled: Fault(.resourceExhausted, description)
        case .refused(_, 403, _): Fault(.permissionDenied, description)
        case .refused, .malformed, .digestMismatch, .sizeMismatch: Fault(.unknown, description)
        case .configuration: Fault(.failedPrecondition, description)
        }
    }
}

/// A failure that a retry may cure, and what to report if it does not.
struct TransientFailure: Error {
    var error: RegistryError
    /// What the server asked for by `Retry-After`.
    var retryAfter: Duration?
}

/// Sets apart what the receiver of a blob threw from what a host did: no retry and no other host changes it.
struct ReceiverFailure: Error {
    var error: any Error
}
