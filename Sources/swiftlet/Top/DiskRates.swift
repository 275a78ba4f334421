import CLICore
import CRIProto
import SwiftProtobuf

/// How fast something reads from disks and writes to them, in bytes a second.
struct DiskRate: Equatable, Sendable {
    var read: Double
    var written: Double

    static func + (one: DiskRate, other: DiskRate) -> DiskRate {
        DiskRate(read: one.read + other.read, written: one.written + other.written)
    }
}

/// What something has read and written so far.
struct DiskUse: Equatable, Sendable {
    var read: UInt64 = 0
    var written: UInt64 = 0
    /// When that was, in nanoseconds; 0 where the runtime does not tell.
    var time: Int64 = 0

    /// The uses of all pods and containers by their ids; nil where the runtime counts no bytes.
    ///
    /// One that has moved nothing has no such metric, although others do.
    static func all(in response: Runtime_V1_ListPodSandboxMetricsResponse) -> [String: DiskUse]? {
        var uses: [String: DiskUse] = [:]
        var isCounted = false
        func add(_ metrics: [Runtime_V1_Metric], _ id: String) -> Bool {
            var (use, isThere) = (DiskUse(), false)
            for metric in metrics {
                switch metric.name {
                case "container_fs_reads_bytes_total": use.read &+= metric.value.value
                case "container_fs_writes_bytes_total": use.written &+= metric.value.value
                default: continue
                }
                isThere = true
                use.time = max(use.time, metric.timestamp)
            }
            if !isThere { use.time = metrics.map(\.timestamp).max() ?? 0 }
            uses[id] = use
            isCounted = isCounted || isThere
            return isThere
        }
        for pod in response.podMetrics {
            for container in pod.containerMetrics { _ = add(container.metrics, container.containerID) }
            // Few runtimes count for a pod as a whole; else it is the sum of its containers.
            if !add(pod.metrics, pod.podSandboxID) { uses[pod.podSandboxID] = nil }
        }
        return isCounted ? uses : nil
    }

    /// The rate since an earlier use of the same thing: nil where the count began again or no time has passed.
    /// - Parameter elapsed: nanoseconds between the two answers, for a runtime that does not tell when it counted.
    func rate(since earlier: DiskUse, elapsed: Int64) -> DiskRate? {
        guard read >= earlier.read, written >= earlier.written else { return nil }
        let (told, isTooLarge) = time.subtractingReportingOverflow(earlier.time)
        let nanoseconds = time != 0 && earlier.time != 0 && !isTooLarge ? told : elapsed
        guard nanoseconds > 0 else { return nil }
        let seconds = Double(nanoseconds) / 1e9
        return DiskRate(
            read: Double(read - earlier.read) / seconds, written: Double(written - earlier.written) / seconds)
    }
}

/// Asks for what the CRI's statistics lack and its metrics have: bytes read and written.
///
/// Metrics are many more than these two: after the first two answers they are asked for so seldom that it takes half a
/// hundredth of the time, a tenth of that while there is no such metric, and never again from a runtime that fails to answer.
actor DiskMeter {
    private static let waitsPerAnswer = 200

    private let ask: @Sendable () async throws -> Runtime_V1_ListPodSandboxMetricsResponse
    private let clock: @Sendable () -> ContinuousClock.Instant
    private var last: (uses: [String: DiskUse], at: ContinuousClock.Instant)?
    private var rates: [String: DiskRate] = [:]
    private var answers = 0
    private var due: ContinuousClock.Instant
    private var isServed = true

    init(
        clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        ask: @escaping @Sendable () async throws -> Runtime_V1_ListPodSandboxMetricsResponse
    ) {
        (self.clock, self.ask) = (clock, ask)
        due = clock()
    }

    /// The latest rates by the ids of containers, and of pods where the runtime counts for them.
    func current() async -> [String: DiskRate] {
        let start = clock()
        guard isServed, answers < 2 || start >= due else { return rates }
        do {
            let uses = DiskUse.all(in: try await ask())
            let end = clock()
            answers += 1
            due = end + (end - start) * (uses == nil ? 10 * Self.waitsPerAnswer : Self.waitsPerAnswer)
            take(uses, at: end)
        } catch {
            isServed = false
            take(nil, at: start)
        }
        return rates
    }

    private func take(_ uses: [String: DiskUse]?, at now: ContinuousClock.Instant) {
        guard let uses else { (last, rates) = (nil, [:]); return }
        if let last {
            let elapsed = Int64((now - last.at) / .nanoseconds(1))
            var found: [String: DiskRate] = [:]
            for (id, use) in uses {
                guard let earlier = last.uses[id] else { continue }
                // A runtime that counts seldom tells the same twice.
                let isSame = use == earlier && use.time != 0
                found[id] = isSame ? rates[id] : use.rate(since: earlier, elapsed: elapsed)
            }
            rates = found
        }
        last = (uses, now)
    }
}
