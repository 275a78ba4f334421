import Cgroups

extension Metrics {
    /// The file system with the writable layers, and io.stat.
    static let storage: [Metric<ContainerReading>] = volume + disks

    private static let volume: [Metric<ContainerReading>] = [
        .gauge("container_fs_inodes_free", "Inodes that are free where the writable layer is", by: ["device"]) {
            $0.perVolume { $0.inodes > 0 ? $0.freeInodes : nil }
        },
        .gauge("container_fs_inodes_total", "Inodes that there are where the writable layer is", by: ["device"]) {
            $0.perVolume { $0.inodes > 0 ? $0.inodes : nil }
        },
        .gauge("container_fs_limit_bytes", "Size of the file system with the writable layer", by: ["device"]) {
            $0.perVolume { $0.bytes }
        },
        .gauge("container_fs_usage_bytes", "What the writable layer takes on disk", by: ["device"]) { reading in
            reading.perVolume { _ in reading.layer?.usedBytes }
        },
    ]

    private static let disks: [Metric<ContainerReading>] = [
        .counter("container_fs_reads_total", "Reads from block devices", by: ["device"]) {
            $0.perDevice { $0.reads }
        },
        .counter("container_fs_writes_total", "Writes to block devices", by: ["device"]) {
            $0.perDevice { $0.writes }
        },
        .counter("container_fs_reads_bytes_total", "Bytes read from block devices", by: ["device"]) {
            $0.perDevice { $0.readBytes }
        },
        .counter("container_fs_writes_bytes_total", "Bytes written to block devices", by: ["device"]) {
            $0.perDevice { $0.writtenBytes }
        },
        .counter(
            "container_blkio_device_usage_total", "Bytes moved from and to block devices",
            by: ["device", "major", "minor", "operation"]
        ) { reading in
            reading.usage.counted.io.flatMap { io in
                let labels = [reading.name(of: io), "\(io.major)", "\(io.minor)"]
                return [
                    MetricValue(labels: labels + ["Read"], number: io.readBytes),
                    MetricValue(labels: labels + ["Write"], number: io.writtenBytes),
                ]
            }
        },
    ]
}
