import LaunchProtocol

/// A launch plan written by hand, in the order of the launch recipe: what a planner would emit for a plain container.
struct ContainerPlan {
    struct Volume {
        var source: String
        var target: String
        var attributes: MountAttributes = []
        var recursiveAttributes = false
        var propagation: ClonePropagation = .private
        var expect: SourceKind = .any
        var create: TargetKind = .likeSource
        var recursive = true
    }

    var overlay: OverlayDirectory
    var anchor: String
    var arguments = ["/bin/true"]
    var environment = ["PATH=/bin"]
    var searchPath = ["/bin"]
    var pidNamespace = LaunchPlan.PIDNamespace.new
    var streams = LaunchPlan.Streams.logged(log: 0, stdin: false)
    var terminal: (rows: UInt16, columns: UInt16)?
    var volumes: [Volume] = []
    var masked: [String] = []
    var readonlyPaths: [String] = []
    var isRootReadonly = false
    var rootPropagation: RootPropagation?
    var directories: [String] = []
    var limits: [Step] = []
    var oomScoreAdj: Int32 = 0
    var user: (uid: UInt32, gid: UInt32, groups: [UInt32]) = (0, 0, [])
    var bounding: UInt64 = Self.defaultCapabilities
    /// Nil: the bounding set for root, none for others.
    var permitted: UInt64?
    var ambient: UInt64 = 0
    var hasNoNewPrivileges = false
    var directory = "/"
    var filter: Bytes?
    var umask: UInt32 = 0o022
    var holds: Set<HoldPoint> = []
    var deadlineMilliseconds: UInt32 = 20_000
    /// Steps put in right before `execute`.
    var last: [Step] = []

    /// CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE.
    static let defaultCapabilities: UInt64 = 0x5fb

    struct OverlayDirectory {
        var directory: String
        var lowers: [String]
        var upper: String?
        var work: String?
    }

    func plan() -> LaunchPlan {
        LaunchPlan(
            kind: .container, pidNamespace: pidNamespace, streams: streams, deadlineMilliseconds: deadlineMilliseconds,
            steps: stageOne() + [.enterMountNamespace(newCgroupNamespace: true)] + stageTwo() + tail())
    }

    private static let rootRegister: MountRegister = 0
    private static let firstVolumeRegister: MountRegister = 16

    private func stageOne() -> [Step] {
        var steps: [Step] = [.setOOMScoreAdj(value: oomScoreAdj, clamp: true), .resetScheduling] + limits
        steps.append(
            .makeOverlay(
                register: Self.rootRegister, directory: bytes(overlay.directory), lowers: overlay.lowers.map(bytes),
                upper: overlay.upper.map(bytes), work: overlay.work.map(bytes), options: [], attributes: []))
        steps += [
            .makeFilesystem(
                register: 1, type: bytes("tmpfs"), options: [option("mode", "755"), option("size", "65536k")],
                attributes: [.nosuid, .strictatime], stage: .one),
            .makeFilesystem(
                register: 2, type: bytes("sysfs"), options: [], attributes: [.nosuid, .noexec, .nodev, .readonly],
                stage: .one),
            .makeFilesystem(
                register: 3, type: bytes("tmpfs"), options: [option("mode", "1777"), option("size", "65536k")],
                attributes: [.nosuid, .noexec, .nodev], stage: .one),
        ]
        for (index, volume) in volumes.enumerated() {
            steps.append(
                .cloneTree(
                    register: Self.firstVolumeRegister + MountRegister(index), source: bytes(volume.source),
                    expect: volume.expect, recursive: volume.recursive, attributes: volume.attributes,
                    recursiveAttributes: volume.recursiveAttributes, propagation: volume.propagation))
        }
        return steps
    }

    private func stageTwo() -> [Step] {
        var steps: [Step] = holds.contains(.afterNamespaces) ? [.hold(.afterNamespaces)] : []
        steps.append(.attachRoot(register: Self.rootRegister, anchor: bytes(anchor)))
        steps += [
            .makeFilesystem(
                register: 4, type: bytes("proc"), options: [], attributes: [.nosuid, .noexec, .nodev], stage: .two),
            .attach(register: 4, target: bytes("/proc"), create: .directory),
            .attach(register: 1, target: bytes("/dev"), create: .directory),
        ]
        for (name, minor) in [("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)]
            as [(String, UInt32)]
        {
            steps.append(device(name, major: 1, minor: minor))
        }
        steps.append(device("tty", major: 5, minor: 0))
        for (name, text) in [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
        ] {
            steps.append(.makeSymlink(target: bytes("/dev/\(name)"), text: bytes(text)))
        }
        steps += [
            .makeFilesystem(
                register: 5, type: bytes("devpts"),
                options: [
                    option("newinstance"), option("ptmxmode", "0666"), option("mode", "0620"), option("gid", "5"),
                ],
                attributes: [.nosuid, .noexec], stage: .two),
            .attach(register: 5, target: bytes("/dev/pts"), create: .directory),
            .makeFilesystem(
                register: 6, type: bytes("mqueue"), options: [], attributes: [.nosuid, .noexec, .nodev], stage: .two),
            .attach(register: 6, target: bytes("/dev/mqueue"), create: .directory),
            .attach(register: 3, target: bytes("/dev/shm"), create: .directory),
            .attach(register: 2, target: bytes("/sys"), create: .directory),
            .makeFilesystem(
                register: 7, type: bytes("cgroup2"), options: [], attributes: [.nosuid, .noexec, .nodev, .readonly],
                stage: .two),
            .attach(register: 7, target: bytes("/sys/fs/cgroup"), create: .mustExist),
        ]
        for (index, volume) in volumes.enumerated() {
            steps.append(
                .attach(
                    register: Self.firstVolumeRegister + MountRegister(index), target: bytes(volume.target),
                    create: volume.create))
        }
        steps += directories.map { .makeDirectory(target: bytes($0), mode: 0o755, uid: 0, gid: 0) }
        steps += masked.map { .mask(target: bytes($0)) }
        steps += readonlyPaths.map { .makeReadonly(target: bytes($0)) }
        if isRootReadonly { steps.append(.makeRootReadonly) }
        if holds.contains(.beforePivot) { steps.append(.hold(.beforePivot)) }
        steps.append(.pivotRoot)
        if let rootPropagation { steps.append(.setRootPropagation(rootPropagation)) }
        return steps
    }

    private func tail() -> [Step] {
        var steps: [Step] = []
        if let terminal { steps.append(.openTerminal(console: true, rows: terminal.rows, columns: terminal.columns)) }
        let held = permitted ?? (user.uid == 0 ? bounding : 0)
        return steps
            + processSteps(
                umask: umask, bounding: bounding, user: user, held: held, ambient: ambient,
                hasNoNewPrivileges: hasNoNewPrivileges, directory: directory, filter: filter,
                holds: holds.contains(.beforeExecute))
            + last + [
                .execute(
                    arguments: arguments.map(bytes), environment: environment.map(bytes),
                    searchPath: searchPath.map(bytes))
            ]
    }

    private func device(_ name: String, major: UInt32, minor: UInt32) -> Step {
        .makeDevice(
            target: bytes("/dev/\(name)"), kind: .character, major: major, minor: minor, mode: 0o666, uid: 0, gid: 0)
    }
}

/// A plan for one more process in a running container.
struct ExecPlan {
    var container: String
    var arguments: [String]
    var environment = ["PATH=/bin"]
    var searchPath = ["/bin"]
    var streams = LaunchPlan.Streams.passed(stdin: nil, stdout: 0, stderr: 1)
    var terminal: (rows: UInt16, columns: UInt16)?
    var user: (uid: UInt32, gid: UInt32, groups: [UInt32]) = (0, 0, [])
    var bounding: UInt64 = ContainerPlan.defaultCapabilities
    var hasNoNewPrivileges = false
    var directory = "/"
    var filter: Bytes?
    var limits: [Step] = []
    var deadlineMilliseconds: UInt32 = 20_000

    func plan() -> LaunchPlan {
        var steps: [Step] = [.setOOMScoreAdj(value: 0, clamp: true), .resetScheduling] + limits
        steps += [
            .joinContainer(
                flags: Namespaces.mount | Namespaces.network | Namespaces.ipc | Namespaces.uts | Namespaces.cgroup)
        ]
        if let terminal { steps.append(.openTerminal(console: false, rows: terminal.rows, columns: terminal.columns)) }
        steps += processSteps(
            umask: 0o022, bounding: bounding, user: user, held: user.uid == 0 ? bounding : 0, ambient: 0,
            hasNoNewPrivileges: hasNoNewPrivileges, directory: directory, filter: filter, holds: false)
        steps.append(
            .execute(
                arguments: arguments.map(bytes), environment: environment.map(bytes), searchPath: searchPath.map(bytes))
        )
        return LaunchPlan(
            kind: .exec, pidNamespace: .container(bytes(container)), streams: streams,
            deadlineMilliseconds: deadlineMilliseconds, steps: steps)
    }
}

/// CLONE_NEW* bits of clone(2).
enum Namespaces {
    static let mount: UInt64 = 0x0002_0000
    static let cgroup: UInt64 = 0x0200_0000
    static let uts: UInt64 = 0x0400_0000
    static let ipc: UInt64 = 0x0800_0000
    static let network: UInt64 = 0x4000_0000
}

private func processSteps(
    umask: UInt32, bounding: UInt64, user: (uid: UInt32, gid: UInt32, groups: [UInt32]), held: UInt64, ambient: UInt64,
    hasNoNewPrivileges: Bool, directory: String, filter: Bytes?, holds: Bool
) -> [Step] {
    var steps: [Step] = [
        .setUmask(umask), .newSessionKeyring, .setBoundingCapabilities(bounding),
        .setUser(uid: user.uid, gid: user.gid, groups: user.groups),
    ]
    if user.uid != 0 {
        // CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH for chdir(2), CAP_SYS_ADMIN for the filter.
        steps.append(
            .setCapabilities(
                effective: 1 << 1 | 1 << 2 | 1 << 21, permitted: TestHost.capabilities, inheritable: 0, ambient: 0))
    }
    steps.append(.changeDirectory(bytes(directory)))
    if holds { steps.append(.hold(.beforeExecute)) }
    let load: [Step] = filter.map { [.installSeccompFilter(program: $0, flags: 0)] } ?? []
    let lower: [Step] = [.setCapabilities(effective: held, permitted: held, inheritable: ambient, ambient: ambient)]
    return steps + (hasNoNewPrivileges ? lower + [.setNoNewPrivileges] + load : load + lower)
}

func bytes(_ text: String) -> Bytes { Bytes(text.utf8) }
func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }
private func option(_ key: String, _ value: String? = nil) -> FilesystemOption {
    FilesystemOption(key: bytes(key), value: value.map(bytes))
}
