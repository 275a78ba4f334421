import Dispatch
import Glibc

/// Waits for signals, none of which ends the process any more. Held for as long as they are to be seen.
final class SignalWatch {
    /// The signals that came since the watch was made; of those that nobody has taken yet the last.
    let arrivals: AsyncStream<Int32>
    private let sources: [any DispatchSourceSignal]

    init(_ numbers: [Int32]) {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingNewest(1))
        arrivals = stream
        sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
    }

    deinit { for source in sources { source.cancel() } }

    /// Waits for SIGTERM or SIGINT, and names it.
    static func end() async -> String {
        let watch = SignalWatch([SIGTERM, SIGINT])
        defer { withExtendedLifetime(watch) {} }
        for await number in watch.arrivals { return number == SIGINT ? "SIGINT" : "SIGTERM" }
        return ""
    }
}
