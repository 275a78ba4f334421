import Model
import OCI

/// Which device nodes a container has, and which devices it may use.
struct DeviceRules {
    private(set) var nodes: [RuntimeLinux.Device] = []
    /// Devices that are wanted outside /dev: there the node's own is shown, read-only so that its mode cannot be
    /// changed (a read-only mount does not keep a device from being written to).
    private(set) var mounts: [RuntimeMount] = []
    private(set) var rules: [RuntimeResources.DeviceRule]

    /// Nodes of all containers, which the planner makes by itself (runtime-spec, config-linux.md, "Default Devices").
    static let defaultNodes: [(path: String, major: UInt32, minor: UInt32)] = [
        ("/dev/null", 1, 3), ("/dev/zero", 1, 5), ("/dev/full", 1, 7), ("/dev/random", 1, 8), ("/dev/urandom", 1, 9),
        ("/dev/tty", 5, 0),
    ]

    /// Nothing but to make any node, and to use the default nodes, the terminals of devpts, /dev/console and /dev/ptmx.
    static let defaultRules: [RuntimeResources.DeviceRule] =
        [
            .init(allow: false, type: "a", access: "rwm"), .init(allow: true, type: "c", access: "m"),
            .init(allow: true, type: "b", access: "m"),
        ]
        + [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2), (136, nil)].map { major, minor in
            .init(allow: true, type: "c", major: major, minor: minor, access: "rwm")
        }

    /// `available` holds what lstat(2) saw: all of /dev for a privileged container, else what the request names.
    init(container: ContainerConfig, available: [HostDevice]) throws(Fault) {
        let privileged = container.security.privileged
        rules = privileged ? [.init(allow: true, type: "a", access: "rwm")] : Self.defaultRules
        if privileged {
            for device in available where Self.isShown(device.path) { add(device, at: device.path) }
        }
        for asked in container.devices { try add(asked, from: available, privileged: privileged) }
    }

    private mutating func add(_ asked: ContainerDevice, from available: [HostDevice], privileged: Bool) throws(Fault) {
        let source = try NodePath.normalised(asked.hostPath, "device host_path")
        let target = try NodePath.normalised(asked.containerPath, "device container_path")
        guard target != "/" else { throw .invalid("device container_path \"/\" is not a file") }
        let access = Set(asked.permissions)
        guard !access.isEmpty, access.isSubset(of: Set("rwm")) else {
            throw .invalid("device permissions \(NodePath.quoted(asked.permissions)) are not of \"rwm\"")
        }
        let found = available.filter { NodePath.contains(source, $0.path) }
        guard !found.isEmpty else {
            throw .invalid("device \(NodePath.quoted(source)) is not a device, nor a directory of devices")
        }
        for device in found {
            let path = target + device.path.dropFirst(source.count)
            if NodePath.contains("/dev", path) {
                add(device, at: path)
            } else {
                let options = ["bind", "rprivate", "ro", "nosuid", "noexec"]
                mounts.append(RuntimeMount(destination: path, type: "bind", source: device.path, options: options))
            }
            guard !privileged else { continue }
            rules.append(
                .init(
                    allow: true, type: device.kind.rawValue, major: Int64(device.major), minor: Int64(device.minor),
                    access: String("rwm".filter(access.contains))))
        }
    }

    private mutating func add(_ device: HostDevice, at path: String) {
        let node = RuntimeLinux.Device(
            path: path, type: device.kind.rawValue, major: Int64(device.major), minor: Int64(device.minor),
            fileMode: device.mode & 0o7777, uid: device.uid, gid: device.gid)
        if let place = nodes.firstIndex(where: { $0.path == path }) { nodes[place] = node } else { nodes.append(node) }
    }

    /// A privileged container's /dev is its own: terminals, shared memory and message queues are not the node's.
    private static func isShown(_ path: String) -> Bool {
        guard NodePath.contains("/dev", path), path != "/dev", path.utf8.count <= NodePath.bytesMax else {
            return false
        }
        let own =
            ["/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/fd", "/dev/ptmx", "/dev/console"] + defaultNodes.map(\.path)
        return !own.contains { NodePath.contains($0, path) } && !path.split(separator: "/").contains("..")
    }
}
