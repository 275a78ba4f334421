import Dispatch
import Glibc
import Linux

/// Waits for signals, none of which ends the process any more. Held for as long as they are to be seen.
///
/// They come over a pipe that a handler writes to: in force when `init` returns, whichever thread a signal finds. (Dispatch's
/// own source of signals is not: one that comes before its registration, which is asynchronous, is lost.)
final class SignalWatch {
    /// The signals that came since the watch was made; of those that nobody has taken yet the last.
    let arrivals: AsyncStream<Int32>
    private let signals: [Signal]
    private let source: any DispatchSourceRead

    /// Lives until the last signal has been read and the source is done with its descriptor.
    private final class Notes: Sendable {
        let pipe: Pipe
        init() throws(Errno) { pipe = try Pipe(nonBlockingReader: true, nonBlockingWriter: true) }

        /// How many repetitions one look takes; what is left wakes the source again.
        private static let batch = 64
        func read() -> [Int32] {
            // Nothing there, or interrupted: the source wakes again when there is something.
            do { return try pipe.reading.read(max: Self.batch).map { Int32($0) } } catch { return [] }
        }
    }

    init(_ signals: [Signal]) throws(Errno) {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingNewest(1))
        let notes = try Notes()
        arrivals = stream
        self.signals = signals
        source = notes.pipe.reading.withRaw { DispatchSource.makeReadSource(fileDescriptor: $0) }
        source.setEventHandler { for number in notes.read() { continuation.yield(number) } }
        source.setCancelHandler { withExtendedLifetime(notes) {} }
        source.resume()
        for signal in signals { try signal.note(to: notes.pipe.writing) }
    }

    deinit {
        // A number between 1 and 64 is never refused.
        for signal in signals { do { try signal.stopNoting() } catch { continue } }
        source.cancel()
    }

    /// Waits for the first signal.
    func first() async -> Signal? {
        for await number in arrivals { return Signal(rawValue: number) }
        return nil
    }
}
