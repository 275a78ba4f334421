import CRIService
import Lifecycle
import Linux
import Logging
import Model

/// What each container's writable layer takes on disk, measured in the background when somebody asks.
///
/// A walk of one layer comes no sooner than 50 times what the last one cost, and ten seconds at least; two walks at most run
/// at once.
actor WritableLayers {
    private static let intervalMin = Duration.seconds(10)
    private static let costFactor = 50
    private static let walksMax = 2
    /// Layers that nobody has asked for since are forgotten.
    private static let memory = Duration.seconds(600)

    private struct Entry {
        var use: FilesystemUse?
        var nextAt = ContinuousClock.now
        var askedAt = ContinuousClock.now
        var isQueued = false
    }

    private let paths: Layout
    private let pool: BlockingPool
    private let log: Logger
    private var entries: [ContainerID: Entry] = [:]
    private var queue: [ContainerID] = []
    private var walks = 0

    init(paths: Layout, pool: BlockingPool, log: Logger) {
        self.paths = paths
        self.pool = pool
        self.log = log
    }

    /// The last measurements; what is missing or due is queued.
    func uses(of containers: [ContainerID]) -> [ContainerID: FilesystemUse] {
        let now = ContinuousClock.now
        if entries.count > 2 * containers.count + 256 {
            entries = entries.filter { $0.value.isQueued || now - $0.value.askedAt < Self.memory }
        }
        var found: [ContainerID: FilesystemUse] = [:]
        for id in containers {
            var entry = entries[id] ?? Entry()
            entry.askedAt = now
            found[id] = entry.use
            if !entry.isQueued, entry.nextAt <= now {
                entry.isQueued = true
                queue.append(id)
            }
            entries[id] = entry
        }
        startWalks()
        return found
    }

    private func startWalks() {
        while walks < Self.walksMax, !queue.isEmpty {
            let id = queue.removeFirst()
            walks += 1
            Task { await walk(id) }
        }
    }

    private func walk(_ id: ContainerID) async {
        let directory = paths.root + "/" + paths.overlay(id).upper
        let mountpoint = paths.rootContainers
        let start = ContinuousClock.now
        do {
            let use = try await pool.run { try WritableUsage.count(directory, mountpoint: mountpoint) }
            entries[id]?.use = use
        } catch {
            // It was removed meanwhile, or cannot be read: then there is no value, not an old one.
            log.debug("a writable layer was not measured", metadata: ["container": "\(id)", "error": "\(error)"])
            entries[id]?.use = nil
        }
        let end = ContinuousClock.now
        entries[id]?.nextAt = end + max(Self.intervalMin, (end - start) * Self.costFactor)
        entries[id]?.isQueued = false
        walks -= 1
        startWalks()
    }
}
