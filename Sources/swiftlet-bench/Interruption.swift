import CLICore
import Synchronization
import UnixSignals

/// A wish to end, looked at between calls: a call that may make something is never left alone.
final class Interruption: Sendable {
    private let signal = Mutex<Int32?>(nil)

    func request(_ number: Int32) { signal.withLock { $0 = $0 ?? number } }

    /// Throws if somebody wants the program to end.
    func check() throws(Failure) {
        if let number = signal.withLock({ $0 }) { throw .silent(exitStatus: 128 + number) }
    }

    /// Listens to the terminal and the system while `body` runs.
    func during<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                for await signal in signals { self.request(signal.rawValue) }
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let ended = try await group.next() {
                if let value = ended { return value }
            }
            throw CancellationError()
        }
    }
}
