import CRIService
import Cgroups
import Linux
import Logging
import Model
import SupervisorClient
import Synchronization

/// What pods and containers use: cgroups by way of `Cgroups`, interfaces from the supervisors' own /proc/PID/net/dev.
final class StatisticsAdapter: StatisticsPort {
    /// A rate is told over at least this long.
    private static let rateInterval = Duration.seconds(1)
    /// Readings of cgroups that nobody has asked for since are forgotten.
    private static let rateMemory = Duration.seconds(600)
    private static let netDevBytesMax = 1 << 20

    private struct Sample {
        var at: ContinuousClock.Instant
        var nanoseconds: UInt64
        var nanoCores: UInt64?
    }

    private let cgroups: Cgroups
    private let supervisors: SupervisorAdapter
    private let layers: WritableLayers
    private let volume: LayerVolumeReader
    private let pool: BlockingPool
    private let log: Logger
    private let samples = Mutex<[String: Sample]>([:])

    init(
        cgroups: Cgroups, supervisors: SupervisorAdapter, layers: WritableLayers, layersDirectory: String,
        pool: BlockingPool, log: Logger
    ) {
        self.cgroups = cgroups
        self.supervisors = supervisors
        self.layers = layers
        self.pool = pool
        volume = LayerVolumeReader(directory: layersDirectory)
        self.log = log
    }

    func usage(ofCgroups paths: [String]) async throws -> [CgroupUsage?] {
        let names: [CgroupPath]
        do throws(CgroupError) {
            names = try paths.map { path throws(CgroupError) in try CgroupPath(parent: path) }
        } catch {
            throw error.fault
        }
        let counted = try await cgroups.statistics(names)
        let now = ContinuousClock.now
        let timestamp = Clock.realtimeNanoseconds
        return samples.withLock { samples in
            if samples.count > 2 * paths.count + 256 {
                samples = samples.filter { now - $0.value.at < Self.rateMemory }
            }
            return zip(paths, counted).map { path, counted in
                guard let counted else {
                    samples[path] = nil
                    return nil
                }
                let rate = counted.cpu.flatMap { Self.rate(path, $0.usageNanoseconds, now, &samples) }
                return CgroupUsage(timestamp: timestamp, counted: counted, nanoCores: rate)
            }
        }
    }

    /// Within a second the last rate holds; a counter that went back belongs to a new cgroup of the same name.
    private static func rate(
        _ path: String, _ nanoseconds: UInt64, _ now: ContinuousClock.Instant, _ samples: inout [String: Sample]
    ) -> UInt64? {
        guard let last = samples[path], last.nanoseconds <= nanoseconds else {
            samples[path] = Sample(at: now, nanoseconds: nanoseconds, nanoCores: nil)
            return nil
        }
        let time = now - last.at
        guard time >= rateInterval else { return last.nanoCores }
        let used = nanoseconds - last.nanoseconds
        let (seconds, attoseconds) = time.components
        let elapsed = Double(seconds) + Double(attoseconds) / 1e18
        let rate = UInt64(Double(used) / elapsed)
        samples[path] = Sample(at: now, nanoseconds: nanoseconds, nanoCores: rate)
        return rate
    }

    func writableLayers(of containers: [ContainerID]) async -> [ContainerID: FilesystemUse] {
        await layers.uses(of: containers)
    }

    func processes(of places: [ContainerPlace]) async throws -> [ProcessUse?] {
        let cgroups = cgroups
        return try await pool.run { try ProcessWalk.uses(of: places, in: cgroups) }
    }

    func layerVolume() async -> LayerVolume? {
        await bestEffort("the file system of writable layers") { [volume] in try volume.read() }
    }

    func names(of devices: Set<BlockDevice>) async -> [BlockDevice: String] {
        await bestEffort("names of block devices") { try BlockDevices.names(of: devices) } ?? [:]
    }

    /// What cannot be read is no reason to hold back all other numbers.
    private func bestEffort<Value: Sendable>(_ what: String, _ body: @escaping @Sendable () throws -> Value) async
        -> Value?
    {
        do {
            return try await pool.run(body)
        } catch {
            log.warning("not read for metrics", metadata: ["what": "\(what)", "error": "\(error)"])
            return nil
        }
    }

    func interfaces(of pod: PodID) async -> [InterfaceUse]? {
        guard let supervisor = supervisors.process(of: pod) else { return nil }
        do throws(Errno) {
            let proc = try OwnedFD.open(Path("/proc/\(supervisor.pid)"), [.path, .directory])
            // The number was the supervisor's when the directory was opened: a descriptor of /proc never changes its process.
            guard try !supervisor.handle.hasEnded() else { return nil }
            let file = try proc.open("net/dev", .readOnly)
            let text = String(decoding: try file.readToEnd(max: Self.netDevBytesMax), as: UTF8.self)
            return NetDev.interfaces(text)
        } catch {
            // Dead since it was looked up; anything else is worth knowing, and no reason to hold back all other numbers.
            if error != .noEntry && error != .noProcess {
                log.warning("a pod's interfaces were not read", metadata: ["pod": "\(pod)", "error": "\(error)"])
            }
            return nil
        }
    }
}

/// The table of proc_pid_net(5), `dev`: two lines of headings, then "name: 8 counters received, 8 sent".
enum NetDev {
    /// Whoever may make interfaces in a pod makes no answer too long for everybody.
    private static let interfacesMax = 128

    /// All interfaces but the loopback, so far as there is an end to them; a line that is none is left out.
    static func interfaces(_ text: String) -> [InterfaceUse] {
        text.split(separator: "\n").dropFirst(2).prefix(interfacesMax + 1).compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let name = line[..<colon].drop { $0 == " " }
            let numbers = line[line.index(after: colon)...].split(separator: " ").compactMap { UInt64($0) }
            guard name != "lo", !name.isEmpty, numbers.count >= 16 else { return nil }
            func traffic(_ at: Int) -> InterfaceUse.Traffic {
                .init(bytes: numbers[at], packets: numbers[at + 1], errors: numbers[at + 2], dropped: numbers[at + 3])
            }
            return InterfaceUse(name: String(name), received: traffic(0), sent: traffic(8))
        }
    }
}
