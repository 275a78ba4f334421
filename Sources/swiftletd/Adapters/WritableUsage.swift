import CRIService
import Linux
import Model

/// What the writable layers of all containers take on disk, counted at most once in a while and never for long.
actor WritableUsage {
    private static let interval = Duration.seconds(30)
    /// Entries after which a count stops: what it has then is a lower bound.
    private static let entriesMax = 500_000
    /// Time after which it stops, for the same price.
    private static let timeMax = Duration.seconds(20)

    private let directory: String
    private let pool: BlockingPool
    private var last: (at: ContinuousClock.Instant, use: FilesystemUse)?

    init(directory: String, pool: BlockingPool) {
        self.directory = directory
        self.pool = pool
    }

    /// The last count, or a new one where that is too old.
    func current() async throws -> FilesystemUse {
        if let last, .now - last.at < Self.interval { return last.use }
        let directory = directory
        let use = try await pool.run { try Self.count(directory, mountpoint: directory) }
        last = (.now, use)
        return use
    }

    /// Walks by descriptors, follows no link and enters no mount.
    static func count(_ directory: String, mountpoint: String) throws -> FilesystemUse {
        try Adapters.step("count", directory) { () throws(Errno) in
            var use = FilesystemUse(
                timestamp: Clock.realtimeNanoseconds, mountpoint: mountpoint, usedBytes: 0, inodesUsed: 0)
            let top = try OwnedFD.open(Path(directory), [.readOnly, .directory])
            var waiting: [Path] = [Path(".")]
            let end = ContinuousClock.now + timeMax
            while let path = waiting.popLast(), use.inodesUsed < UInt64(entriesMax), .now < end {
                do throws(Errno) {
                    let open = try top.open(
                        path, [.readOnly, .directory], resolve: [.beneath, .noSymlinks, .noCrossDevice])
                    // Part by part: whoever fills a directory decides neither about our memory nor about our time.
                    while use.inodesUsed < UInt64(entriesMax), .now < end {
                        let part = try open.entriesPart()
                        if part.isEmpty { break }
                        for entry in part where !entry.isDot {
                            let status = try open.status(Path(entry.name))
                            use.usedBytes += status.blocks * 512
                            use.inodesUsed += 1
                            if status.kind == .directory { waiting.append(path.appending(Path(entry.name))) }
                        }
                    }
                } catch Errno.noEntry {
                    // Removed meanwhile.
                } catch Errno.nameTooLong {
                    // Deeper than a path can say: not counted.
                }
            }
            return use
        }
    }
}
