import CLinux

/// Waits for many descriptors at once: epoll(7), level-triggered.
package struct Epoll: ~Copyable, Sendable {
    /// EPOLL* bits.
    package struct Events: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let readable = Events(rawValue: 0x1)
        package static let writable = Events(rawValue: 0x4)
        package static let error = Events(rawValue: 0x8)
        package static let hangUp = Events(rawValue: 0x10)
        package static let peerClosed = Events(rawValue: 0x2000)
        /// A report for each time that something comes, instead of as long as something is there.
        package static let edge = Events(rawValue: 1 << 31)
        /// One report, then silence until `modify`.
        package static let oneShot = Events(rawValue: 1 << 30)
    }

    /// One descriptor that is ready, by the token it was added with.
    package struct Ready: Sendable, Equatable {
        package var token: UInt64
        package var events: Events
    }

    /// Events of one wait; the rest come with the next.
    package static let batchMax = 64

    private let fd: OwnedFD
    private var pairs = [UInt64](repeating: 0, count: 2 * Epoll.batchMax)

    package init() throws(Errno) { fd = OwnedFD(taking: descriptor(try check(cl_epoll_create()))) }

    package func add(_ watched: borrowing OwnedFD, _ events: Events, token: UInt64) throws(Errno) {
        try check(cl_epoll_add(fd.raw, watched.raw, events.rawValue, token))
    }

    package func modify(_ watched: borrowing OwnedFD, _ events: Events, token: UInt64) throws(Errno) {
        try check(cl_epoll_modify(fd.raw, watched.raw, events.rawValue, token))
    }

    /// To be called before the descriptor is closed where another process holds the same open file.
    package func remove(_ watched: borrowing OwnedFD) throws(Errno) { try check(cl_epoll_remove(fd.raw, watched.raw)) }

    /// What is ready; nothing when the time has passed or a signal came. nil waits for ever.
    package mutating func wait(milliseconds: Int32?) throws(Errno) -> [Ready] {
        try Epoll.wait(fd.raw, milliseconds: milliseconds, pairs: &pairs)
    }

    /// As above, without end, on a thread of its own while others add, modify and remove.
    package func waitBesideOthers() throws(Errno) -> [Ready] {
        var pairs = [UInt64](repeating: 0, count: 2 * Epoll.batchMax)
        return try Epoll.wait(fd.raw, milliseconds: nil, pairs: &pairs)
    }

    private static func wait(_ raw: Int32, milliseconds: Int32?, pairs: inout [UInt64]) throws(Errno) -> [Ready] {
        // The kernel's answer fills at most `batchMax` pairs.
        let result = unsafe pairs.withUnsafeMutableBufferPointer {
            unsafe cl_epoll_wait(raw, $0.baseAddress, Int32(Epoll.batchMax), milliseconds ?? -1)
        }
        if result == -Int(EINTR) { return [] }
        let count = min(try check(result), Epoll.batchMax)
        var ready: [Ready] = []
        ready.reserveCapacity(count)
        for index in 0..<count {
            let events = Events(rawValue: UInt32(truncatingIfNeeded: pairs[2 * index + 1]))
            ready.append(Ready(token: pairs[2 * index], events: events))
        }
        return ready
    }
}

/// A counter that wakes a waiter: eventfd(2), non-blocking.
package struct EventCounter: ~Copyable, Sendable {
    package let fd: OwnedFD

    package init() throws(Errno) { fd = OwnedFD(taking: descriptor(try check(cl_eventfd()))) }

    /// Makes it readable; a full counter is readable already.
    package func signal() throws(Errno) {
        do throws(Errno) { try fd.write([1, 0, 0, 0, 0, 0, 0, 0]) } catch  where error == .again { return }
    }
}

/// A timer on CLOCK_MONOTONIC: timerfd_create(2), non-blocking.
package struct Timer: ~Copyable, Sendable {
    package let fd: OwnedFD

    package init() throws(Errno) { fd = OwnedFD(taking: descriptor(try check(cl_timerfd()))) }

    /// Becomes readable once, this many nanoseconds from now; 0 stops it.
    package func set(nanoseconds: Int64) throws(Errno) { try check(cl_timerfd_set(fd.raw, max(nanoseconds, 0))) }
}

extension OwnedFD {
    /// Waits for one descriptor: poll(2). False when the time has passed.
    package func waitReadable(milliseconds: Int32) throws(Errno) -> Bool {
        try retrying { cl_poll(raw, 1, milliseconds) } != 0
    }
}
