import NIOCore

/// The times and sizes of one call.
struct CallMeter {
    let startedAt = NIODeadline.now()

    /// When the client last sent or took something.
    private(set) var progressedAt: NIODeadline

    var requestBytes = 0
    var responseBytes = 0

    init() {
        progressedAt = startedAt
    }

    mutating func noteProgress() {
        progressedAt = .now()
    }

    func report(_ path: String, _ status: GRPCStatus, peer: PeerCredentials?) -> CallReport {
        CallReport(
            path: path, status: status, duration: .nanoseconds((NIODeadline.now() - startedAt).nanoseconds),
            requestBytes: requestBytes, responseBytes: responseBytes, peer: peer)
    }
}
