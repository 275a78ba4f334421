import Cgroups
import Lifecycle
import Model

/// All that is known of a running container at one time.
struct ContainerReading: Sendable {
    var record: ContainerRecord
    var startedAt: Int64
    var usage: CgroupUsage
    var processes: ProcessUse?
    var layer: FilesystemUse?
    var volume: LayerVolume?
    /// Names of block devices, where the node knows them.
    var devices: [BlockDevice: String]

    var cpu: CgroupStatistics.CPU? { usage.counted.cpu }
    var memory: CgroupStatistics.Memory? { usage.counted.memory }
    var resources: LinuxResources { record.config.resources }

    /// One value of each block device that the container used.
    func perDevice(_ number: (CgroupStatistics.DeviceIO) -> UInt64) -> [MetricValue] {
        usage.counted.io.map { MetricValue(labels: [name(of: $0)], number: number($0)) }
    }

    /// As it is called in /dev, else its numbers.
    func name(of io: CgroupStatistics.DeviceIO) -> String {
        devices[BlockDevice(major: io.major, minor: io.minor)].map { "/dev/" + $0 } ?? "\(io.major):\(io.minor)"
    }

    /// One value of the file system with the writable layers.
    func perVolume(_ number: (LayerVolume) -> UInt64?) -> [MetricValue] {
        guard let volume, let number = number(volume) else { return [] }
        return [MetricValue(labels: [volume.device], number: number)]
    }
}

/// What is known of a pod with a network of its own.
struct PodReading: Sendable {
    var interfaces: [InterfaceUse]

    func perInterface(_ number: (InterfaceUse) -> UInt64) -> [MetricValue] {
        interfaces.map { MetricValue(labels: [$0.name], number: number($0)) }
    }
}

/// The kernel counts microseconds and metrics whole seconds.
func seconds(microseconds: UInt64?) -> UInt64? { microseconds.map { $0 / 1_000_000 } }
