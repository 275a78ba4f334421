import LaunchProtocol
import Linux

/// What a log may still take: an account that fills with time, and the room of the file.
///
/// The account may be overdrawn by one record, so that a record of any size comes through; until it is balanced nothing does.
struct LogAllowance {
    private let limits: LogLimits
    private var account: Int64
    private var filledAt: Int64
    private var fileBytes: UInt64

    /// - Parameters:
    ///   - nanoseconds: of CLOCK_MONOTONIC.
    ///   - fileBytes: what the file has already.
    init(_ limits: LogLimits, at nanoseconds: Int64, fileBytes: UInt64) {
        self.limits = limits
        account = LogAllowance.clamp(limits.bytesPerSecond)
        filledAt = nanoseconds
        self.fileBytes = fileBytes
    }

    var isUnlimited: Bool { limits == .none }

    /// Another file has taken the place of the last.
    mutating func begin(fileBytes: UInt64) { self.fileBytes = fileBytes }

    /// Adds what has come with time, at most a second's worth.
    mutating func fill(at nanoseconds: Int64) {
        let full = LogAllowance.clamp(limits.bytesPerSecond)
        let passed = max(0, min(nanoseconds - filledAt, 1_000_000_000))
        let product = UInt64(full.magnitude).multipliedFullWidth(by: UInt64(passed.magnitude))
        let (added, _) = UInt64(1_000_000_000).dividingFullWidth(product)
        // Less than a byte is left for the next time.
        if added == 0 { return }
        filledAt = nanoseconds
        account = min(full, account + Int64(clamping: added))
    }

    /// Takes a record's bytes out; or says which limit it is over.
    mutating func take(_ bytes: Int) -> LogLoss? {
        let size = UInt64(bytes.magnitude)
        if limits.bytesPerSecond > 0, account <= 0 { return .rate }
        if limits.fileBytesMax > 0, size > limits.fileBytesMax &- min(fileBytes, limits.fileBytesMax) { return .size }
        account -= limits.bytesPerSecond > 0 ? Int64(bytes) : 0
        fileBytes = fileBytes.addingReportingOverflow(size).partialValue
        return nil
    }

    /// So that neither sums nor products overflow; more than any disk takes in a second.
    private static func clamp(_ bytes: UInt64) -> Int64 { Int64(clamping: min(bytes, 1 << 40)) }
}

/// Why records did not reach a log.
enum LogLoss: Equatable {
    case failure(Errno)
    case rate, size
}
