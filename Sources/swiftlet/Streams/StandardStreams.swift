import Linux
import Synchronization

/// Standard input read on a thread of its own, so that a task can wait for it and stop waiting.
final class StandardInput: Sendable {
    private static let chunkBytes = 1 << 16

    private let pool = BlockingPool(name: "stdin", threadsMax: 1)
    private let isCancelled: EventCounter

    init() throws { isCancelled = try EventCounter() }

    /// What was typed or came through the pipe; nil at its end, and after `cancel`.
    func read() async throws -> [UInt8]? {
        let bytes: [UInt8] = try await pool.run { [self] in
            guard try StandardStream.input.waitReadable(unless: isCancelled.fd) else { return [] }
            do {
                return try StandardStream.input.read(max: Self.chunkBytes)
            } catch let error as Errno where error == .inputOutput || error == .badDescriptor {
                // The terminal has gone, or there never was any input.
                return []
            }
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// Ends a `read` that waits, and all that come.
    func cancel() { bestEffort { try isCancelled.signal() } }
}
