package import LaunchProtocol
package import Linux

/// What a launching child tells its supervisor over their socket pair, one packet each.
///
///     child                                 supervisor
///       | terminal + its other end  -------------> |   (step openTerminal)
///       | held(point)  --------------------------> |   tells the daemon
///       | <------------------- go (1) or abort (0) |
///       | member(pid)  --------------------------> |   (launch into an existing PID namespace; may come twice)
///       | failed(step, errno, detail)  ----------> |   then exits
///       X end of file: execve(2) has closed the socket, or the child is dead; the kernel knows which
///
/// Both ends are the same sealed program: this format has no versions. A process that is about to be a container's may have
/// been tampered with, so that the supervisor believes nothing here that it cannot check.
package enum ChildReport: Equatable, Sendable {
    case terminal
    case held(HoldPoint)
    /// The number of the process that will execute the program, a sibling of the one that says so.
    case member(pid: Int32)
    case failed(LaunchFailure)

    /// The first byte of `member`.
    static let memberKind: UInt8 = 3

    package static let bytesMax = 16 + WireLimits.detailBytes

    package var bytes: Bytes {
        switch self {
        case .terminal: [1]
        case .held(let point): [2, point.rawValue]
        case .member(let pid): [ChildReport.memberKind] + littleEndian(UInt32(bitPattern: pid))
        case .failed(let failure):
            [4] + littleEndian(failure.stepIndex) + littleEndian(UInt32(bitPattern: failure.errno.number))
                + failure.detail.prefix(WireLimits.detailBytes)
        }
    }

    package init?(_ bytes: Bytes) {
        switch (bytes.first, bytes.count) {
        case (1, 1): self = .terminal
        case (2, 2):
            guard let point = HoldPoint(rawValue: bytes[1]) else { return nil }
            self = .held(point)
        case (ChildReport.memberKind, 5): self = .member(pid: Int32(bitPattern: word(bytes, at: 1)))
        case (4, 9...):
            let number = Int32(bitPattern: word(bytes, at: 5))
            self = .failed(
                LaunchFailure(
                    stepIndex: word(bytes, at: 1), errno: Errno(number),
                    detail: Bytes(bytes.dropFirst(9).prefix(WireLimits.detailBytes))))
        default: return nil
        }
    }
}

/// Which step failed, why, and what it was doing.
package struct LaunchFailure: Error, Equatable, Sendable {
    /// `BirthFailure.beforeSteps` for what is no step.
    package var stepIndex: UInt32
    package var errno: Errno
    package var detail: Bytes

    package init(stepIndex: UInt32 = BirthFailure.beforeSteps, errno: Errno, detail: Bytes = []) {
        self.stepIndex = stepIndex
        self.errno = errno
        self.detail = detail
    }
}

private func littleEndian(_ value: UInt32) -> Bytes {
    [
        UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8),
        UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 24),
    ]
}

/// For places that are there: callers have checked the count.
private func word(_ bytes: Bytes, at start: Int) -> UInt32 {
    var value: UInt32 = 0
    for (shift, byte) in bytes.dropFirst(start).prefix(4).enumerated() { value |= UInt32(byte) << UInt32(8 * shift) }
    return value
}
