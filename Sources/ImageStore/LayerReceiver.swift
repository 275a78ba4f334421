import Linux

/// Gathers the pieces of a blob into portions that are worth a change of threads, and has one portion unpacked while
/// the next arrives.
actor LayerReceiver {
    private let unpack: LayerUnpack
    private let pool: BlockingPool
    private var pending: [UInt8] = []
    /// The portion under way; always awaited before the next one, and by `finish` or `settle`.
    private var running: Task<Void, any Error>?

    private static let portion = 256 * 1024

    init(unpack: LayerUnpack, pool: BlockingPool) {
        self.unpack = unpack
        self.pool = pool
    }

    func receive(_ bytes: ArraySlice<UInt8>) async throws {
        pending += bytes
        if pending.count >= Self.portion { try await flush() }
    }

    /// Unpacks the rest and verifies all of it.
    func finish() async throws -> LayerUnpack.Result {
        do {
            try await flush()
            try await running?.value
        } catch {
            await settle()
            throw error
        }
        return try await pool.run { [unpack] in try unpack.finish() }
    }

    /// Waits until nothing is being written.
    func settle() async { _ = await running?.result }

    private func flush() async throws {
        try await running?.value
        try Task.checkCancellation()
        let portion = pending
        pending = []
        running = Task { [pool, unpack] in try await pool.run { try unpack.consume(portion[...]) } }
    }
}
