package import LaunchProtocol
package import Model
package import OCI
package import Seccomp

/// Compiles descriptions into plans: pure functions, one for each kind of process that a supervisor runs.
///
/// A part of a description that a plan cannot carry out is refused, never passed over (`SpecSupport`).
package struct PlanBuilder: Sendable {
    package let host: HostFacts
    package let defaults: RuntimeDefaults
    package let seccomp: SeccompCompiler

    package init(host: HostFacts, defaults: RuntimeDefaults = RuntimeDefaults(), seccomp: SeccompCompiler) {
        self.host = host
        self.defaults = defaults
        self.seccomp = seccomp
    }

    /// The main process of a container.
    package func containerPlan(_ spec: RuntimeSpec, _ facts: LaunchFacts) throws(Fault) -> LaunchPlan {
        let parts = try SpecSupport(spec: spec)
        try PodAgreement(pod: facts.pod, nodeHostname: host.hostname).check(parts)
        let process = try ProcessSteps(parts.process, parts.linux.seccomp, host: host, seccomp: seccomp)

        var rootfs = RootfsSteps(parts: parts, host: host)
        try rootfs.addRoot(facts.rootfs)
        try rootfs.addMounts()
        try rootfs.addWorkingDirectory()
        try rootfs.addMasks()

        var steps = process.inherited
        steps += rootfs.stageOne
        steps.append(.enterMountNamespace(newCgroupNamespace: parts.hasNamespace(.cgroup)))
        steps += hold(.afterNamespaces, facts)
        steps += rootfs.stageTwo
        steps += hold(.beforePivot, facts)
        steps.append(.pivotRoot)
        if let propagation = rootfs.propagation { steps.append(.setRootPropagation(propagation)) }
        if parts.process.terminal {
            let size = parts.process.consoleSize
            steps.append(.openTerminal(console: true, rows: size?.height ?? 0, columns: size?.width ?? 0))
        }
        steps += process.tail(hold: hold(.beforeExecute, facts))
        return LaunchPlan(
            kind: .container, pidNamespace: try parts.pidNamespace(),
            streams: parts.process.terminal
                ? .loggedTerminal(log: facts.log, limits: facts.logLimits)
                : .logged(log: facts.log, stdin: facts.keepsStdin, limits: facts.logLimits),
            deadlineMilliseconds: facts.deadlineMilliseconds, steps: steps)
    }

    /// A further process in a running container: who it is and what it may do is the container's, never more.
    package func execPlan(_ spec: RuntimeSpec, container: ContainerID, _ exec: ExecRequest) throws(Fault) -> LaunchPlan
    {
        let parts = try SpecSupport(spec: spec)
        var description = parts.process
        description.args = try ProcessRules.checked(exec.command)
        var steps: [Step] = []
        let streams: LaunchPlan.Streams
        switch exec.streams {
        case .passed(let stdin, let stdout, let stderr):
            description.terminal = false
            streams = .passed(stdin: stdin, stdout: stdout, stderr: stderr)
        case .terminal(let rows, let columns):
            description.terminal = true
            var environment = Environment(description.env)
            if !environment.has("TERM") { environment.set("TERM", Array("xterm".utf8)) }
            description.env = environment.entries
            streams = .passedTerminal
            steps.append(.openTerminal(console: false, rows: rows, columns: columns))
        }
        let process = try ProcessSteps(description, parts.linux.seccomp, host: host, seccomp: seccomp)
        let ownPIDs = parts.hasNamespace(.pid)
        return LaunchPlan(
            kind: .exec, pidNamespace: ownPIDs ? .container(Array(container.text.utf8)) : .host, streams: streams,
            deadlineMilliseconds: exec.deadlineMilliseconds,
            steps: process.inherited + [.joinContainer(flags: parts.joinFlags)] + steps + process.tail(hold: []))
    }

    /// What a supervisor does to itself at its birth: it makes the pod's namespaces, and keeps the node's where the
    /// pod shares them.
    package func birthPlan(_ pod: PodConfig, _ facts: PodFacts) throws(Fault) -> LaunchPlan {
        let hostname = pod.effectiveHostname(node: host.hostname)
        // sethostname(2) takes 64 bytes; a line end would write a second line into /etc/hostname.
        guard (1...64).contains(hostname.utf8.count), hostname.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .invalid("hostname \(NodePath.quoted(hostname)) is empty, longer than 64 bytes or not printable")
        }
        var flags: UInt64 = 0
        if !pod.sharesNodeNetwork { flags |= NamespaceFlag.network | NamespaceFlag.uts }
        if !pod.sharesNodeIPC { flags |= NamespaceFlag.ipc }

        var steps: [Step] = [
            .setOOMScoreAdj(value: defaults.podOOMScoreAdj, clamp: !host.mayRaiseLimits), .resetScheduling,
        ]
        if flags != 0 { steps.append(.unshareNamespaces(flags: flags)) }
        if !pod.sharesNodeNetwork {
            let pin = try NodePath.normalised(facts.networkNamespace, "network namespace")
            steps.append(.pinNamespace(name: Array("net".utf8), path: Array(pin.utf8)))
            steps.append(.setHostname(Array(hostname.utf8)))
            steps.append(.bringLoopbackUp)
        }
        for setting in try SysctlRules(pod: pod, defaults: defaults).settings() {
            steps.append(.writeSysctl(path: Array(setting.path.utf8), value: Array(setting.value.utf8)))
        }
        return LaunchPlan(kind: .birth, deadlineMilliseconds: defaults.launchDeadlineMilliseconds, steps: steps)
    }

    /// PID 1 of a PID namespace that a pod's containers share: our launcher again, in an empty read-only root, with
    /// no privilege.
    package func podInitPlan(_ pod: PodConfig, anchor: String) throws(Fault) -> LaunchPlan {
        var process = RuntimeProcess(cwd: "/")
        // Of no user that an image is likely to have; a process of the same user could end it.
        process.user = RuntimeProcess.User(
            uid: pod.runAsUser ?? 65_535, gid: pod.runAsGroup ?? pod.runAsUser ?? 65_535,
            additionalGids: pod.supplementalGroups)
        process.capabilities = RuntimeProcess.Capabilities()
        process.noNewPrivileges = true
        process.rlimits = defaults.resourceLimits
        process.oomScoreAdj = Int(defaults.podOOMScoreAdj)
        let profile = SeccompProfile.runtimeDefault.resolved(capabilities: [], kernel: host.kernel)
        let steps = try ProcessSteps(process, profile, host: host, seccomp: seccomp)
        let root: [Step] = [
            .makeFilesystem(
                register: 0, type: Array("tmpfs".utf8),
                options: [
                    FilesystemOption("mode", "555"), FilesystemOption("size", "4k"), FilesystemOption("nr_inodes", "1"),
                ],
                attributes: [.readonly, .nosuid, .nodev, .noexec], stage: .one),
            .enterMountNamespace(newCgroupNamespace: true),
            .attachRoot(register: 0, anchor: Array(try NodePath.normalised(anchor, "root path").utf8)),
            .pivotRoot,
        ]
        return LaunchPlan(
            kind: .podInit, pidNamespace: .new, deadlineMilliseconds: defaults.launchDeadlineMilliseconds,
            steps: steps.inherited + root + steps.tail(hold: [], ending: .executePodInit))
    }

    private func hold(_ point: HoldPoint, _ facts: LaunchFacts) -> [Step] {
        facts.holds.contains(point) ? [.hold(point)] : []
    }
}

/// CLONE_NEW* (clone(2)).
enum NamespaceFlag {
    static let mount: UInt64 = 0x0002_0000
    static let cgroup: UInt64 = 0x0200_0000
    static let uts: UInt64 = 0x0400_0000
    static let ipc: UInt64 = 0x0800_0000
    static let network: UInt64 = 0x4000_0000
}

extension FilesystemOption {
    init(_ key: String, _ value: String? = nil) {
        self.init(key: Array(key.utf8), value: value.map { Array($0.utf8) })
    }
}
