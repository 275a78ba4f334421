import Linux
import Model
import Planner

/// Device nodes of the node, as containers may get them.
enum Devices {
    private static let countMax = 16_384
    private static let depthMax = 8
    /// Directories of /dev that a container gets its own instance of, or must not see.
    private static let skipped: Set<String> = [
        "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/fd", "/dev/.udev", "/dev/console",
    ]

    /// Everything below /dev, for a privileged container.
    static func all() throws(Fault) -> [HostDevice] { try below("/dev") }

    /// A device, or all devices of a directory.
    static func named(_ path: String) throws(Fault) -> [HostDevice] {
        let status: FileStatus
        let resolved: String
        do throws(Errno) {
            // A link such as /dev/disk/by-id/... stands for its target.
            let file = try OwnedFD.open(Path(path), [.path])
            status = try file.status()
            resolved = path
        } catch {
            throw Fault(.invalidArgument, "config.devices.host_path: \"\(path)\"", cause: "\(error)")
        }
        if status.kind == .directory { return try below(path) }
        guard let device = HostDevice(path: resolved, status: status) else {
            throw Fault.invalid("config.devices.host_path: \"\(path)\" is no device and no directory of devices")
        }
        return [device]
    }

    private static func below(_ directory: String) throws(Fault) -> [HostDevice] {
        try Adapters.step("list devices in", directory) { () throws(Errno) in
            var found: [HostDevice] = []
            var waiting = [(directory, 0)]
            while let (path, depth) = waiting.popLast() {
                guard let open = try OwnedFD.directory(ifPresent: path) else { continue }
                for entry in try open.entries(max: countMax) {
                    let child = path + "/" + String(decoding: entry.name, as: UTF8.self)
                    guard !skipped.contains(child) else { continue }
                    let status: FileStatus
                    do throws(Errno) { status = try open.status(Path(entry.name)) } catch Errno.noEntry { continue }
                    if status.kind == .directory {
                        if depth < depthMax { waiting.append((child, depth + 1)) }
                    } else if let device = HostDevice(path: child, status: status) {
                        found.append(device)
                        if found.count > countMax { throw .fileTooLarge }
                    }
                }
            }
            return found.sorted { $0.path < $1.path }
        }
    }
}

extension HostDevice {
    /// Nil for what is no device.
    init?(path: String, status: FileStatus) {
        let kind: Kind
        switch status.kind {
        case .characterDevice: kind = .character
        case .blockDevice: kind = .block
        default: return nil
        }
        self.init(
            path: path, kind: kind, major: status.major, minor: status.minor, mode: status.mode & 0o777,
            uid: status.uid,
            gid: status.gid)
    }
}
