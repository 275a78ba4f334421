package import Linux
import Synchronization

/// What came out of a pipe.
package struct CollectedOutput: Sendable, Equatable {
    package var bytes: [UInt8]
    /// More came than was kept.
    package var isTruncated: Bool
    /// Every writer has closed; false where the wait was given up, as for a daemonised child that keeps the pipe.
    package var isComplete: Bool

    package init(bytes: [UInt8], isTruncated: Bool, isComplete: Bool) {
        self.bytes = bytes
        self.isTruncated = isTruncated
        self.isComplete = isComplete
    }
}

/// Reads a pipe to its end and keeps at most `bytesMax` of it (CVE-2022-31030, CVE-2022-1708); the rest is read and dropped,
/// so that the writer never waits.
package final class PipeCollector: Watched {
    private struct State {
        var bytes: [UInt8] = []
        var isTruncated = false
        var isComplete = false
    }

    /// Who reads: nobody yet, who waits for the output, the reactor, nobody any more.
    private enum Watch {
        case none
        case caller
        case on(Reactor.Token)
        case over
    }

    private enum Outcome { case read, nothingThere, over }

    /// One read(2); a pipe holds 64 KiB unless its owner asked for more.
    private static let readBytes = 65_536

    /// Nil when reading has been stopped.
    private let pipe: Mutex<OwnedFD?>
    private let bytesMax: Int
    private let reactor: Reactor
    private let state = Mutex(State())
    private let watch = Mutex(Watch.none)
    private let end = OneShot<Void>()

    /// - Parameters:
    ///   - pipe: the reading end, non-blocking.
    ///   - watching: false where `startWatching` or `catchUp` comes later; until then the pipe takes what it holds.
    package init(_ pipe: consuming OwnedFD, bytesMax: Int, reactor: Reactor, watching: Bool = true) {
        self.pipe = Mutex(pipe)
        self.bytesMax = bytesMax
        self.reactor = reactor
        if watching { startWatching() }
    }

    /// Has the reactor read from now on, unless somebody reads already.
    package func startWatching() {
        watch.withLock { watch in
            if case .none = watch { watch = .on(reactor.add(self, .readable)) }
        }
    }

    /// Reads what is there, on the caller's thread, where it was never watched. Returns whether that is all; if not,
    /// `watchRest` is to be called.
    package func catchUp() -> Bool {
        let isCaller = watch.withLock { watch in
            guard case .none = watch else { return false }
            watch = .caller
            return true
        }
        // A full pipe takes two reads, its end one; who writes all the time is to be watched.
        var reads = 0
        while isCaller, reads < 3, read() == .read { reads += 1 }
        return state.withLock { $0.isComplete }
    }

    package func watchRest() {
        if state.withLock({ $0.isComplete }) { return }
        watch.withLock { watch in
            if case .caller = watch { watch = .on(reactor.add(self, .readable)) }
        }
    }

    /// Waits for the end of the pipe, at most `time`, stops reading, and gives what came. To be called once.
    package func output(within time: Duration) async -> CollectedOutput {
        if !catchUp() {
            watchRest()
            let deadline = reactor.schedule(after: time) { self.end.resolve(()) }
            await end.value()
            reactor.cancel(deadline)
        }
        stop()
        return state.withLock { state in
            let output = CollectedOutput(
                bytes: state.bytes, isTruncated: state.isTruncated, isComplete: state.isComplete)
            state.bytes = []
            return output
        }
    }

    /// Stops reading and closes the pipe: whoever writes on gets SIGPIPE.
    package func stop() {
        let last = watch.withLock { watch in
            defer { watch = .over }
            return watch
        }
        // At its end it is not watched any more.
        if case .on(let token) = last, !state.withLock({ $0.isComplete }) { reactor.remove(token) }
        pipe.withLock { $0 = nil }
        end.resolve(())
    }

    package func withWatched(_ body: (borrowing OwnedFD) throws(Errno) -> Void) throws(Errno) {
        try pipe.withLock { pipe throws(Errno) in
            if pipe == nil { throw Errno.badDescriptor }
            try pipe?.lend(body)
        }
    }

    package func ready(_ events: Epoll.Events) -> Bool {
        // Nothing is in it, and nobody writes any more (pipe(7)): needs no read to find out.
        if !events.contains(.readable), events.contains(.hangUp) {
            finish()
            return false
        }
        // One read a turn, so that a flood here delays others by one read at most.
        return read() != .over
    }

    private func read() -> Outcome {
        let read: [UInt8]?
        do throws(Errno) {
            read = try pipe.withLock { pipe throws(Errno) in try pipe?.read(max: Self.readBytes) }
        } catch {
            if error == .again { return .nothingThere }
            end.resolve(())
            return .over
        }
        guard let part = read else { return .over }
        if part.isEmpty {
            finish()
            return .over
        }
        state.withLock { state in
            let room = bytesMax - state.bytes.count
            if part.count > room { state.isTruncated = true }
            state.bytes += part.prefix(room)
        }
        return .read
    }

    /// The pipe is at its end. It is closed at once: nobody else has this end, so that closing ends the watch as well
    /// (epoll(7), question 6).
    private func finish() {
        state.withLock { $0.isComplete = true }
        pipe.withLock { $0 = nil }
        end.resolve(())
    }

    package func dropped(_ reason: Errno) { end.resolve(()) }
}

extension OwnedFD {
    fileprivate func lend(_ body: (borrowing OwnedFD) throws(Errno) -> Void) throws(Errno) { try body(self) }
}
