import LaunchProtocol

/// The values behind the frozen fixtures of version 1. Rows are only ever added.
enum Version1Values {
    static let record = ExitRecord(
        process: b("c0ffee"), kind: .container, pid: 4_711, startedAtNanoseconds: 1_700_000_000_123_456_789,
        exitedAtNanoseconds: 1_700_000_060_987_654_321, exitCode: 137, oomKills: 3)

    static let requests: [Request] = [
        .snapshot, .launch(process: b("exec-1"), container: b("c0ffee")), .release(process: b("c0ffee"), go: true),
        .reopenLog(container: b("c0ffee")), .closeStdin(container: b("c0ffee")),
        .resizeTerminal(process: b("exec-1"), rows: 24, columns: 65_535), .forget(process: b("exec-1")),
        .makeSocket(ipv6: true), .shutdown, .attach(container: b("c0ffee"), input: true, output: false, error: true),
    ]

    static let launchUntilExit = Request.launch(process: b("exec-1"), container: b("c0ffee"), untilExit: true)

    static let replies: [Reply] = [
        .hello(podID: b("p0d"), supervisorPID: 321, version: 1),
        .container(
            ProcessState(
                process: b("c0ffee"), kind: .container, phase: .exited, pid: 4_711,
                startedAtNanoseconds: 1_700_000_000_123_456_789, exit: record, logLinesDropped: 99)),
        .snapshotEnd,
        .launched(process: b("c0ffee"), pid: 4_711, startedAtNanoseconds: 1_700_000_000_123_456_789),
        .held(process: b("c0ffee"), pid: 4_711, point: .beforePivot),
        .launchFailed(process: b("c0ffee"), stepIndex: 12, errno: 2, detail: b("/var/lib/x")),
        .refused(errno: 38, detail: b("unknown kind")), .done, .socket, .exited(record),
        .attached(client: 0x0102_0304_0506_0708), .detached(client: 7),
    ]

    static let steps: [Step] = [
        .setOOMScoreAdj(value: -997, clamp: true), .resetScheduling,
        .setResourceLimit(resource: 7, soft: 1_024, hard: UInt64.max, clamp: false),
        .makeOverlay(
            register: 1, directory: b("/var/lib/layers"), lowers: [b("12/fs"), b("7/fs")], upper: b("c/upper"),
            work: b("c/work"), options: [option("userxattr"), option("metacopy", "off")], attributes: [.nodev]),
        .cloneTree(
            register: 2, source: b("/srv/volume"), expect: .directoryMadeIfMissing, recursive: true,
            attributes: [.readonly, .nosuid], recursiveAttributes: true, propagation: .slave),
        .makeFilesystem(
            register: 3, type: b("tmpfs"), options: [option("mode", "755"), option("size", "65536k")],
            attributes: [.nosuid, .strictatime], stage: .two),
        .enterMountNamespace(newCgroupNamespace: true), .attachRoot(register: 1, anchor: b("/run/anchor")),
        .attach(register: 2, target: b("/data"), create: .likeSource),
        .makeDirectory(target: b("/work"), mode: 0o750, uid: 1_000, gid: 2_000),
        .makeSymlink(target: b("/dev/fd"), text: b("/proc/self/fd")),
        .makeDevice(target: b("/dev/null"), kind: .character, major: 1, minor: 3, mode: 0o666, uid: 0, gid: 5),
        .mask(target: b("/proc/kcore")), .makeReadonly(target: b("/proc/sys")), .makeRootReadonly,
        .setRootPropagation(.shared), .pivotRoot, .openTerminal(console: true, rows: 24, columns: 80),
        .joinContainer(flags: 0x6c02_0000), .unshareNamespaces(flags: 0x4c00_0000),
        .pinNamespace(name: b("net"), path: b("/run/netns/p0d")), .setHostname(b("web-0")), .bringLoopbackUp,
        .writeSysctl(path: b("net/ipv4/ip_unprivileged_port_start"), value: b("0")), .setUmask(0o022),
        .newSessionKeyring, .setBoundingCapabilities(0xa804_25fb),
        .setUser(uid: 1_000, gid: 2_000, groups: [3, 4_294_967_294]),
        .setCapabilities(effective: 1, permitted: 3, inheritable: 0, ambient: 1 << 40), .setNoNewPrivileges,
        .changeDirectory(b("/srv")),
        .installSeccompFilter(program: [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f], flags: 1),
        .execute(
            arguments: [b("sh"), b("-c"), b("")], environment: [b("PATH=/bin"), b("A=\u{e9}")], searchPath: [b("/bin")]),
        .executePodInit, .hold(.beforeExecute),
    ]

    static let plans: [(String, LaunchPlan)] = [
        ("birth", LaunchPlan(kind: .birth, deadlineMilliseconds: 10_000, steps: [.bringLoopbackUp])),
        (
            "pod-init",
            LaunchPlan(kind: .podInit, pidNamespace: .new, deadlineMilliseconds: 5_000, steps: [.executePodInit])
        ),
        (
            "logged",
            LaunchPlan(
                kind: .container, pidNamespace: .new, streams: .logged(log: 0, stdin: true),
                deadlineMilliseconds: 60_000,
                steps: steps)
        ),
        (
            "unlogged",
            LaunchPlan(
                kind: .container, pidNamespace: .podInit, streams: .logged(log: nil, stdin: false),
                deadlineMilliseconds: 60_000, steps: [])
        ),
        (
            "logged-terminal",
            LaunchPlan(
                kind: .container, pidNamespace: .container(b("other")), streams: .loggedTerminal(log: 15),
                deadlineMilliseconds: 0, steps: [])
        ),
        (
            "logged-limited",
            LaunchPlan(
                kind: .container, pidNamespace: .new,
                streams: .logged(
                    log: 0, stdin: true, limits: LogLimits(bytesPerSecond: 65_536, fileBytesMax: 0x0102_0304_0506_0708)),
                deadlineMilliseconds: 60_000, steps: [])
        ),
        (
            "logged-terminal-limited",
            LaunchPlan(
                kind: .container, pidNamespace: .new,
                streams: .loggedTerminal(log: 1, limits: LogLimits(fileBytesMax: 10_000)),
                deadlineMilliseconds: 60_000, steps: [])
        ),
        (
            "passed",
            LaunchPlan(
                kind: .exec, pidNamespace: .container(b("c0ffee")), streams: .passed(stdin: nil, stdout: 0, stderr: 1),
                deadlineMilliseconds: UInt32.max, steps: [])
        ),
        (
            "passed-terminal",
            LaunchPlan(
                kind: .exec, pidNamespace: .host, streams: .passedTerminal, deadlineMilliseconds: 1,
                steps: [.hold(.afterNamespaces), .hold(.beforePivot), .hold(.beforeExecute)])
        ),
    ]

    static let birthFailure = BirthFailure(stepIndex: BirthFailure.beforeSteps, errno: 13, detail: b("cgroup.procs"))

    private static func b(_ text: String) -> Bytes { Bytes(text.utf8) }
    private static func option(_ key: String, _ value: String? = nil) -> FilesystemOption {
        FilesystemOption(key: b(key), value: value.map(b))
    }
}
