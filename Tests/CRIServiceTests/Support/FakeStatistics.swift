import CRIService
import Cgroups
import Model
import Synchronization

/// Readings in memory: every cgroup has the same counters, unless it is said to be gone.
final class FakeStatistics: StatisticsPort {
    struct State {
        var usage = CgroupUsage(timestamp: 77, counted: FakeStatistics.counted, nanoCores: 250_000_000)
        var gone: Set<String> = []
        var asked: [String] = []
        var layers = true
        var interfaces: [InterfaceUse]? = [
            InterfaceUse(
                name: "net1", received: .init(bytes: 1, packets: 5, errors: 2, dropped: 6),
                sent: .init(bytes: 3, packets: 7, errors: 4, dropped: 8)),
            InterfaceUse(
                name: "eth0", received: .init(bytes: 10, packets: 50, errors: 20, dropped: 60),
                sent: .init(bytes: 30, packets: 70, errors: 40, dropped: 80)),
        ]
        var processes: ProcessUse? = ProcessUse(
            processes: 3, threads: 4, descriptors: 12, sockets: 2, descriptorsLimit: 1024)
        var volume: LayerVolume? = LayerVolume(device: "/dev/vda1", bytes: 1 << 30, inodes: 1000, freeInodes: 900)
    }

    let state = Mutex(State())

    static var counted: CgroupStatistics {
        var counted = CgroupStatistics()
        counted.cpu = .init("usage_usec 3000\nuser_usec 2000\nsystem_usec 1000\n")
        counted.memory = .init(
            current: "10000", limit: "50000", stat: "anon 4000\ninactive_file 2500\npgfault 12\npgmajfault 3\n")
        counted.memory?.swapCurrentBytes = 100
        counted.memory?.swapLimit = .bytesOrCount(300)
        counted.processes = .init(current: 5, limit: .unlimited)
        counted.pressure.cpu = .init("some avg10=1.50 avg60=0.50 avg300=0.25 total=1234\n")
        counted.pressure.io = .init(
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=2\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1\n")
        return counted
    }

    func usage(ofCgroups paths: [String]) async throws -> [CgroupUsage?] {
        state.withLock { state in
            state.asked += paths
            return paths.map { state.gone.contains($0) ? nil : state.usage }
        }
    }

    func writableLayers(of containers: [ContainerID]) async -> [ContainerID: FilesystemUse] {
        guard state.withLock({ $0.layers }) else { return [:] }
        let use = FilesystemUse(
            timestamp: 66, mountpoint: "/var/lib/swiftlet/containers", usedBytes: 8192, inodesUsed: 4)
        return Dictionary(uniqueKeysWithValues: containers.map { ($0, use) })
    }

    func interfaces(of pod: PodID) async -> [InterfaceUse]? { state.withLock { $0.interfaces } }

    func processes(of places: [ContainerPlace]) async throws -> [ProcessUse?] {
        state.withLock { state in places.map { state.gone.contains($0.cgroup) ? nil : state.processes } }
    }

    func layerVolume() async -> LayerVolume? { state.withLock { $0.volume } }

    func names(of devices: Set<BlockDevice>) async -> [BlockDevice: String] {
        devices.contains(.init(major: 8, minor: 0)) ? [.init(major: 8, minor: 0): "sda"] : [:]
    }
}
