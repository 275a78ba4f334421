import LaunchProtocol
import Model
import OCI

/// The root file system and all that is mounted in it: what stage 1 makes, and what stage 2 attaches and covers.
struct RootfsSteps {
    private(set) var stageOne: [Step] = []
    private(set) var stageTwo: [Step] = []

    private let parts: SpecSupport
    private let host: HostFacts
    private var nextRegister: MountRegister = 0

    init(parts: SpecSupport, host: HostFacts) {
        self.parts = parts
        self.host = host
    }

    /// For the whole root, after pivot_root(2), which refuses a shared root; recursion then finds only mounts of this
    /// container.
    var propagation: RootPropagation? {
        switch parts.linux.rootfsPropagation {
        case "shared", "rshared": .shared
        case "slave", "rslave": .slave
        default: nil
        }
    }

    // MARK: Root

    mutating func addRoot(_ rootfs: ContainerRootfs) throws(Fault) {
        guard
            ["", "private", "rprivate", "slave", "rslave", "shared", "rshared"].contains(parts.linux.rootfsPropagation)
        else {
            throw .unimplemented(
                "linux.rootfsPropagation \(NodePath.quoted(parts.linux.rootfsPropagation)) is not supported")
        }
        // An image has at most 127, and below them is the layer of mount points; the kernel would take some hundreds.
        guard (1...128).contains(rootfs.layers.count) else {
            throw .invalid("the root filesystem has \(rootfs.layers.count) layers, not 1 to 128")
        }
        for name in rootfs.layers + [rootfs.upper, rootfs.work] {
            // A name that leaves the store, or that mount(2)'s option string would split.
            guard !name.isEmpty, name.utf8.count <= 255, name.utf8.allSatisfy(Self.isNameByte),
                !name.utf8.starts(with: "/".utf8),
                !name.split(separator: "/").contains("..")
            else { throw .internal("layer directory \(NodePath.quoted(name)) is not a plain relative name") }
        }
        let register = try newRegister()
        stageOne.append(
            .makeOverlay(
                register: register, directory: Array(try NodePath.normalised(rootfs.directory, "layer store").utf8),
                lowers: rootfs.layers.reversed().map { Array($0.utf8) }, upper: Array(rootfs.upper.utf8),
                work: Array(rootfs.work.utf8),
                // Layers come from anywhere: no redirect or metadata-only copy of theirs is to be followed.
                options: [
                    FilesystemOption("index", "off"), FilesystemOption("metacopy", "off"),
                    FilesystemOption("redirect_dir", "nofollow"),
                ], attributes: []))
        stageTwo.append(
            .attachRoot(register: register, anchor: Array(try NodePath.normalised(parts.root.path, "root path").utf8)))
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: ",") && byte != UInt8(ascii: ":")
            && byte != UInt8(ascii: "\\")
    }

    // MARK: Mounts

    mutating func addMounts() throws(Fault) {
        for mount in parts.mounts {
            let target = try NodePath.normalised(mount.destination, "mount destination")
            guard target != "/" else { throw .invalid("mount destination \"/\" would hide the root file system") }
            guard mount.uidMappings.isEmpty, mount.gidMappings.isEmpty else {
                throw .unimplemented("mount \(NodePath.quoted(target)): id mappings are not supported")
            }
            try add(mount, MountOptions(mount), at: target)
            if target == "/dev" { try addDevices() }
        }
        try checkDevices()
    }

    private mutating func add(_ mount: RuntimeMount, _ options: MountOptions, at target: String) throws(Fault) {
        if options.isBind || mount.type == "bind" { return try addBind(mount, options, at: target) }
        guard let kind = Self.kinds[mount.type] else {
            throw .unimplemented(
                "mount \(NodePath.quoted(target)): file system \(NodePath.quoted(mount.type)) is not supported")
        }
        guard !options.isRecursivelyReadonly, options.propagation == .private, !options.makesSource else {
            throw .unimplemented(
                "mount \(NodePath.quoted(target)): options of bind mounts on a new file system are not supported")
        }
        if mount.type.hasPrefix("cgroup"), !parts.hasNamespace(.cgroup) {
            return try addNodeCgroups(options, at: target)
        }
        let register = try newRegister()
        let make = Step.makeFilesystem(
            register: register, type: Array(kind.type.utf8), options: options.parameters,
            attributes: options.attributes,
            stage: kind.stage)
        if kind.stage == .one { stageOne.append(make) } else { stageTwo.append(make) }
        stageTwo.append(.attach(register: register, target: Array(target.utf8), create: kind.create))
    }

    /// Which file systems a container may have, where they are made, and whether their directory may have to be made
    /// too.
    private static let kinds: [String: (type: String, stage: Stage, create: TargetKind)] = [
        "proc": ("proc", .two, .directory), "sysfs": ("sysfs", .one, .directory), "tmpfs": ("tmpfs", .one, .directory),
        "devpts": ("devpts", .two, .directory), "mqueue": ("mqueue", .two, .directory),
        // Its directory is in sysfs, where nothing can be made.
        "cgroup2": ("cgroup2", .two, .mustExist), "cgroup": ("cgroup2", .two, .mustExist),
    ]

    private mutating func addBind(_ mount: RuntimeMount, _ options: MountOptions, at target: String) throws(Fault) {
        let register = try newRegister()
        let source = try NodePath.normalised(mount.source, "mount source")
        stageOne.append(
            .cloneTree(
                register: register, source: Array(source.utf8),
                expect: options.makesSource ? .directoryMadeIfMissing : .any,
                recursive: options.isRecursive,
                attributes: options.isRecursivelyReadonly ? .readonly : options.attributes,
                recursiveAttributes: options.isRecursivelyReadonly, propagation: options.propagation))
        // Nothing can be made in procfs; and only there may a target lie in it.
        let create: TargetKind = NodePath.contains("/proc", target) ? .mustExist : .likeSource
        stageTwo.append(.attach(register: register, target: Array(target.utf8), create: create))
    }

    /// Without a cgroup namespace of its own a container sees the node's mount: a new one in the first cgroup
    /// namespace would reset the options of the whole hierarchy (cgroup2 has one superblock).
    private mutating func addNodeCgroups(_ options: MountOptions, at target: String) throws(Fault) {
        let register = try newRegister()
        let source = try NodePath.normalised(host.cgroupMount, "cgroup mount")
        stageOne.append(
            .cloneTree(
                register: register, source: Array(source.utf8), expect: .directory, recursive: false,
                attributes: options.attributes,
                recursiveAttributes: false, propagation: .private))
        stageTwo.append(.attach(register: register, target: Array(target.utf8), create: .mustExist))
    }

    private mutating func newRegister() throws(Fault) -> MountRegister {
        guard nextRegister < 4096 else { throw .invalid("the container has more than 4096 mounts") }
        defer { nextRegister += 1 }
        return nextRegister
    }

    // MARK: Devices

    /// Whether /dev is a file system of this launch; a bind of the node's /dev is left as it is, as runc leaves it.
    private var ownsDev: Bool { parts.mounts.last { $0.destination == "/dev" }?.type == "tmpfs" }

    /// Nodes and links of a new /dev, before anything is mounted below it.
    private mutating func addDevices() throws(Fault) {
        guard ownsDev else { return }
        for node in DeviceRules.defaultNodes {
            makeDevice(node.path, .character, node.major, node.minor, mode: 0o666, uid: 0, gid: 0)
        }
        var directories: Set<String> = ["/dev"]
        for device in try devices() where NodePath.contains("/dev", device.path) {
            let parent = String(device.path[..<(device.path.lastIndex(of: "/") ?? device.path.startIndex)])
            if directories.insert(parent).inserted {
                stageTwo.append(.makeDirectory(target: Array(parent.utf8), mode: 0o755, uid: 0, gid: 0))
            }
            guard !DeviceRules.defaultNodes.contains(where: { $0.path == device.path }) else { continue }
            makeDevice(
                device.path, device.kind, device.major, device.minor, mode: device.mode, uid: device.uid,
                gid: device.gid)
        }
        for (path, text) in Self.links {
            stageTwo.append(.makeSymlink(target: Array(path.utf8), text: Array(text.utf8)))
        }
    }

    private static let links = [
        ("/dev/fd", "/proc/self/fd"), ("/dev/stdin", "/proc/self/fd/0"), ("/dev/stdout", "/proc/self/fd/1"),
        ("/dev/stderr", "/proc/self/fd/2"), ("/dev/core", "/proc/kcore"), ("/dev/ptmx", "pts/ptmx"),
    ]

    private mutating func makeDevice(
        _ path: String, _ kind: DeviceKind, _ major: UInt32, _ minor: UInt32, mode: UInt32, uid: UInt32, gid: UInt32
    ) {
        stageTwo.append(
            .makeDevice(
                target: Array(path.utf8), kind: kind, major: major, minor: minor, mode: mode, uid: uid, gid: gid))
    }

    /// A node in the image's file system would outlive the container's own /dev, and could be replaced by the image.
    private func checkDevices() throws(Fault) {
        for device in try devices() where !NodePath.contains("/dev", device.path) {
            throw .unimplemented("device \(NodePath.quoted(device.path)) outside /dev is not supported")
        }
    }

    private struct Device {
        var path: String
        var kind: DeviceKind
        var major: UInt32
        var minor: UInt32
        var mode: UInt32
        var uid: UInt32
        var gid: UInt32
    }

    private func devices() throws(Fault) -> [Device] {
        var out: [Device] = []
        for device in parts.linux.devices {
            let path = try NodePath.normalised(device.path, "device path")
            let kinds: [String: DeviceKind] = ["c": .character, "u": .character, "b": .block, "p": .fifo]
            guard let kind = kinds[device.type] else {
                throw .invalid("device \(NodePath.quoted(path)) has the unknown type \(NodePath.quoted(device.type))")
            }
            // makedev(3) as the kernel has it: 12 bits and 20 bits.
            guard let major = UInt32(exactly: device.major), let minor = UInt32(exactly: device.minor), major < 1 << 12,
                minor < 1 << 20
            else { throw .invalid("device \(NodePath.quoted(path)) has a number out of range") }
            out.append(
                Device(
                    path: path, kind: kind, major: major, minor: minor, mode: (device.fileMode ?? 0o666) & 0o7777,
                    uid: device.uid ?? 0, gid: device.gid ?? 0))
        }
        return out
    }

    // MARK: After the mounts

    /// Made where the image lacks it: execve(2) would fail in a directory that is not there.
    mutating func addWorkingDirectory() throws(Fault) {
        let path = try NodePath.normalised(parts.process.cwd, "process.cwd")
        guard path != "/" else { return }
        stageTwo.append(.makeDirectory(target: Array(path.utf8), mode: 0o755, uid: 0, gid: 0))
    }

    /// Last, so that nothing is mounted over a mask; and before pivot_root(2), while the node's /dev/null can still
    /// be had.
    mutating func addMasks() throws(Fault) {
        for path in parts.linux.maskedPaths {
            stageTwo.append(.mask(target: Array(try NodePath.normalised(path, "masked path").utf8)))
        }
        for path in parts.linux.readonlyPaths {
            stageTwo.append(.makeReadonly(target: Array(try NodePath.normalised(path, "read-only path").utf8)))
        }
        if parts.root.readonly { stageTwo.append(.makeRootReadonly) }
    }
}
