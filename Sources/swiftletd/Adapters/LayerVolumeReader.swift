import CRIService
import Linux
import Model
import Synchronization

/// The file system that writable layers are on: its source once, its sizes at each call.
final class LayerVolumeReader: Sendable {
    private let directory: String
    private let device = Mutex<String?>(nil)

    init(directory: String) { self.directory = directory }

    func read() throws -> LayerVolume {
        try Adapters.step("read the size of", directory) { () throws(Errno) in
            let open = try OwnedFD.open(Path(directory), [.readOnly, .directory])
            let space = try open.filesystemSpace()
            let known = device.withLock { $0 }
            let name: String
            if let known { name = known } else { name = try source(of: open) }
            device.withLock { $0 = name }
            return LayerVolume(
                device: name, bytes: space.bytes, inodes: space.inodes, freeInodes: space.freeInodes)
        }
    }

    /// The source of the deepest mount that the directory is below.
    private func source(of open: borrowing OwnedFD) throws(Errno) -> String {
        var best: (length: Int, source: [UInt8]) = (-1, [])
        let path = Array(directory.utf8)
        for mount in try MountInfo.current() {
            let point = mount.mountPoint
            let isAbove =
                point == [0x2f]
                || (path.starts(with: point) && (path.count == point.count || path[point.count] == 0x2f))
            // Of two on one place the later one is on top.
            if isAbove, point.count >= best.length { best = (point.count, mount.source) }
        }
        return String(decoding: best.source, as: UTF8.self)
    }
}

/// Names of block devices, by sysfs.
enum BlockDevices {
    /// Devices of one call that are looked up; a host has no more than it has disks.
    private static let devicesMax = 4096

    static func names(of devices: Set<BlockDevice>) throws -> [BlockDevice: String] {
        try Adapters.step("open", "/sys/dev/block") { () throws(Errno) in
            let directory = try OwnedFD.open("/sys/dev/block", [.readOnly, .directory])
            var names: [BlockDevice: String] = [:]
            for device in devices.prefix(devicesMax) {
                do throws(Errno) {
                    let link = try directory.readSymlink(Path("\(device.major):\(device.minor)"))
                    guard let name = link.split(separator: 0x2f).last else { continue }
                    // A slash in a device's name is written as "!" in sysfs.
                    names[device] = String(decoding: name.map { $0 == 0x21 ? 0x2f : $0 }, as: UTF8.self)
                } catch Errno.noEntry {
                    // Gone since it was used.
                }
            }
            return names
        }
    }
}
