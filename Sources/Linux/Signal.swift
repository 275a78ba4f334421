import CLinux

/// A signal number (signal(7)).
package struct Signal: RawRepresentable, Equatable, Hashable, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let hangUp = Signal(rawValue: 1)
    package static let interrupt = Signal(rawValue: 2)
    package static let quit = Signal(rawValue: 3)
    package static let kill = Signal(rawValue: 9)
    package static let user1 = Signal(rawValue: 10)
    package static let user2 = Signal(rawValue: 12)
    package static let pipe = Signal(rawValue: 13)
    package static let alarm = Signal(rawValue: 14)
    package static let terminate = Signal(rawValue: 15)
    package static let child = Signal(rawValue: 17)
    package static let `continue` = Signal(rawValue: 18)
    package static let windowChange = Signal(rawValue: 28)

    var bit: UInt64 { rawValue > 0 && rawValue <= 64 ? 1 << UInt64(rawValue - 1) : 0 }

    /// From now on each such signal writes its number, as one byte, to the end of a pipe, whichever thread it finds; what
    /// is started meanwhile gets the default (execve(2)). The pipe must not block, and live until
    /// `stopNoting`.
    package func note(to pipe: borrowing OwnedFD) throws(Errno) { try check(cl_note_signal(rawValue, pipe.raw)) }

    /// Ends `note`: the signal is ignored.
    package func stopNoting() throws(Errno) { try check(cl_note_signal(rawValue, -1)) }

    /// Every signal to its default disposition, then an empty mask: what execve(2) would hand on otherwise.
    package static func resetAll() throws(Errno) { try check(cl_reset_signals()) }
}

/// Signals taken by waiting instead of by handlers.
package struct SignalSet: Sendable {
    private var bits: UInt64 = 0

    package init(_ signals: [Signal]) { for signal in signals { bits |= signal.bit } }

    /// Blocks them in the calling thread: a process with one thread, or before it starts others.
    package func block() throws(Errno) { try check(cl_block_signals(bits)) }

    /// An empty mask for the calling thread.
    package static func unblockAll() throws(Errno) { try check(cl_unblock_signals()) }

    /// The next of them; sigtimedwait(2) without a limit.
    package func wait() throws(Errno) -> Signal {
        Signal(rawValue: descriptor(try retrying { cl_wait_signal(bits) }))
    }

    /// A descriptor that is readable while one of them is pending: signalfd(2), non-blocking.
    package func openDescriptor() throws(Errno) -> OwnedFD {
        OwnedFD(taking: descriptor(try check(cl_signalfd(bits))))
    }
}
