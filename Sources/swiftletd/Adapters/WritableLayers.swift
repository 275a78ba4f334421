import CRIService
import Lifecycle
import Linux
import Logging
import Model

/// What each container's writable layer takes on disk, measured in the background when somebody asks.
///
/// A walk of one layer comes no sooner than 50 times what the last one cost, and ten seconds at least; two walks at most run
/// at once. Only for a layer that was never measured does a call wait, and only for a moment: most are walked within it, so
/// that a container has all its numbers from the first reading on, and a layer on a disk that hangs holds nobody up.
actor WritableLayers {
    private static let intervalMin = Duration.seconds(10)
    private static let costFactor = 50
    private static let walksMax = 2
    /// Layers that nobody has asked for since are forgotten.
    private static let memory = Duration.seconds(600)
    /// How long a call waits for first walks, however many it needs.
    private static let firstWalkMax = Duration.milliseconds(50)

    private struct Entry {
        var use: FilesystemUse?
        var wasWalked = false
        var nextAt: ContinuousClock.Instant
        var askedAt: ContinuousClock.Instant
        var isQueued = false
    }

    private let paths: Layout
    private let pool: BlockingPool
    private let log: Logger
    private var entries: [ContainerID: Entry] = [:]
    private var queue: [ContainerID] = []
    private var walks = 0
    private var waiters: [Int: Waiter] = [:]
    private var nextWaiter = 0

    private struct Waiter {
        var missing: Set<ContainerID>
        let continuation: CheckedContinuation<Void, Never>
    }

    init(paths: Layout, pool: BlockingPool, log: Logger) {
        self.paths = paths
        self.pool = pool
        self.log = log
    }

    /// The last measurements; what is due is queued.
    func uses(of containers: [ContainerID]) async -> [ContainerID: FilesystemUse] {
        queueDue(containers)
        await firstWalks(of: containers)
        return containers.reduce(into: [:]) { found, id in found[id] = entries[id]?.use }
    }

    private func queueDue(_ containers: [ContainerID]) {
        let now = ContinuousClock.now
        if entries.count > 2 * containers.count + 256 {
            entries = entries.filter { $0.value.isQueued || now - $0.value.askedAt < Self.memory }
        }
        for id in containers {
            var entry = entries[id] ?? Entry(nextAt: now, askedAt: now)
            entry.askedAt = now
            if !entry.isQueued, entry.nextAt <= now {
                entry.isQueued = true
                queue.append(id)
            }
            entries[id] = entry
        }
        startWalks()
    }

    /// Returns when each of them was walked once, or the time for that is over.
    private func firstWalks(of containers: [ContainerID]) async {
        let missing = Set(containers.filter { entries[$0]?.wasWalked == false })
        guard !missing.isEmpty else { return }
        let number = nextWaiter
        nextWaiter += 1
        let timer = Task {
            do {
                try await Task.sleep(for: Self.firstWalkMax)
                resume(number)
            } catch {
                // The walks were faster.
            }
        }
        await withCheckedContinuation { waiters[number] = Waiter(missing: missing, continuation: $0) }
        timer.cancel()
    }

    private func resume(_ number: Int) {
        waiters.removeValue(forKey: number)?.continuation.resume()
    }

    private func tellWaiters(_ id: ContainerID) {
        for number in Array(waiters.keys) {
            waiters[number]?.missing.remove(id)
            if waiters[number]?.missing.isEmpty == true { resume(number) }
        }
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
        entries[id]?.wasWalked = true
        tellWaiters(id)
        walks -= 1
        startWalks()
    }
}
