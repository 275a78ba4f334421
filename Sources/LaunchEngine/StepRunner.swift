package import LaunchProtocol
package import Linux

/// Carries out the steps of a plan, one kernel operation after the other, in the process that is to become the container's.
///
/// The supervisor runs its birth plan with it too. A failing step ends the run; what was made dies with the process, for
/// mounts, namespaces and descriptors belong to it alone.
package struct StepRunner: ~Copyable {
    let proc: PrivateProc
    /// Where reports go; nil in a supervisor.
    let report: PacketSocket?
    /// The process whose namespaces `joinContainer` joins.
    let joinTarget: Pidfd?
    /// The sealed launcher, for `executePodInit`.
    let launcher: OwnedFD?
    /// Set where the program is to run in a PID namespace that others live in already: it is born there last of all.
    let isBornLate: Bool
    /// Set where the supervisor hears no word before the last.
    let isQuiet: Bool
    /// Set where the member of a late birth may share its memory with this process; see `MemorySharing`.
    let mayShareMemory: Bool
    /// Limits known to be in force: what the supervisor had, as far as no step has changed it.
    var limits: ResourceLimits

    var registers = DescriptorTable()
    /// The container's root; none until `attachRoot` or `joinContainer`.
    var root: RootDirectory
    var hasRoot = false
    /// An overlay that this kernel only makes with mount(2), at the place where it is attached.
    var postponedOverlay: PostponedOverlay?
    /// The node's /dev/null, read-only: cloned for every masked file.
    var nullDevice: OwnedFD?
    /// The first mask of a directory; further ones are clones of it.
    var emptyDirectory: OwnedFD?
    var program: PreparedProgram?
    var isSealed = false
    var isUndumpable = false
    var hasTerminal = false
    /// What the step at hand is working on: a path, mostly.
    var detail: Bytes = []

    package init(
        proc: consuming PrivateProc, report: consuming PacketSocket? = nil, joinTarget: consuming Pidfd? = nil,
        launcher: consuming OwnedFD? = nil, isBornLate: Bool = false, isQuiet: Bool = false,
        mayShareMemory: Bool = false, limits: ResourceLimits = ResourceLimits()
    ) {
        self.proc = proc
        self.report = report
        self.joinTarget = joinTarget
        self.launcher = launcher
        self.isBornLate = isBornLate
        self.isQuiet = isQuiet
        self.mayShareMemory = mayShareMemory
        self.limits = limits
        root = RootDirectory(OwnedFD(taking: -1))
    }

    /// Runs all steps. Returns for a plan without `execute` only.
    package mutating func run(_ steps: [Step]) throws(LaunchFailure) {
        for index in steps.indices {
            detail = []
            do throws(Errno) {
                // Once sealed not any more: prctl(2) may be refused.
                if report != nil && !isSealed && steps[index].mayWait {
                    try CurrentProcess.setName(StepName.path(of: index))
                }
                if case .installSeccompFilter = steps[index] { try sealProcess(before: steps[index...]) }
                try perform(steps[index])
            } catch {
                throw LaunchFailure(stepIndex: UInt32(truncatingIfNeeded: index), errno: error, detail: detail)
            }
        }
    }

    private mutating func perform(_ step: Step) throws(Errno) {
        switch step {
        case .setOOMScoreAdj(let value, let clamp): try setOOMScoreAdj(value, clamp: clamp)
        case .resetScheduling: try CurrentProcess.resetScheduling()
        case .setResourceLimit(let resource, let soft, let hard, let clamp):
            try setResourceLimit(resource, ResourceLimit(soft: soft, hard: hard), clamp: clamp)
        case .makeOverlay(let register, let directory, let lowers, let upper, let work, let options, let attributes):
            try makeOverlay(
                PostponedOverlay(
                    register: register, directory: directory, lowers: lowers, upper: upper, work: work,
                    options: options, flags: MountFlags(rawValue: attributes.rawValue)))
        case .cloneTree(let register, let source, let expect, let recursive, let attributes, let all, let propagation):
            try cloneTree(
                register, source: source, expect: expect, recursive: recursive,
                flags: MountFlags(rawValue: attributes.rawValue), recursiveFlags: all, propagation: propagation)
        case .makeFilesystem(let register, let type, let options, let attributes, _):
            try makeFilesystem(register, type: type, options: options, flags: MountFlags(rawValue: attributes.rawValue))

        case .enterMountNamespace(let newCgroupNamespace): try enterMountNamespace(newCgroupNamespace)
        case .attachRoot(let register, let anchor): try attachRoot(register, anchor: anchor)
        case .attach(let register, let target, let create): try attach(register, target: target, create: create)
        case .makeDirectory(let target, let mode, let uid, let gid):
            try makeDirectory(target: target, mode: mode, uid: uid, gid: gid)
        case .makeSymlink(let target, let text): try makeSymlink(target: target, text: text)
        case .makeDevice(let target, let kind, let major, let minor, let mode, let uid, let gid):
            try makeDevice(target: target, kind: kind, major: major, minor: minor, mode: mode, uid: uid, gid: gid)
        case .mask(let target): try mask(target: target)
        case .makeReadonly(let target): try makeReadonly(target: target)
        case .makeRootReadonly: try changeRoot(.readOnly, propagation: nil)
        case .setRootPropagation(let propagation): try changeRoot([], propagation: propagation.kernel)
        case .pivotRoot: try pivotRoot()
        case .openTerminal(let console, let rows, let columns):
            try openTerminal(console: console, rows: rows, columns: columns)

        case .joinContainer(let flags): try joinContainer(NamespaceFlags(rawValue: flags))

        case .unshareNamespaces(let flags): try NamespaceFlags(rawValue: flags).unshare()
        case .pinNamespace(let name, let path): try pinNamespace(name, path: path)
        case .setHostname(let name): try CurrentProcess.setHostname(name)
        case .bringLoopbackUp: try PodNetwork.bringLoopbackUp()
        case .writeSysctl(let path, let value): try writeSysctl(path, value)

        case .setUmask(let mask): CurrentProcess.setFileModeMask(mask)
        case .newSessionKeyring: try newSessionKeyring()
        case .setBoundingCapabilities(let mask): try Credentials.restrictBoundingSet(to: mask)
        case .setUser(let uid, let gid, let groups): try setUser(uid: uid, gid: gid, groups: groups)
        case .setCapabilities(let effective, let permitted, let inheritable, let ambient):
            try Credentials.setCapabilities(effective: effective, permitted: permitted, inheritable: inheritable)
            // The set is empty from the supervisor's birth on: with nothing to raise, prctl(2) is not needed, and a seccomp
            // filter may refuse it.
            if ambient != 0 { try Credentials.raiseAmbientCapabilities(ambient) }
        case .setNoNewPrivileges: try CurrentProcess.forbidNewPrivileges()
        case .changeDirectory(let path): try changeDirectory(path)
        case .installSeccompFilter(let program, let flags):
            try CurrentProcess.installSeccompFilter(program, flags: flags)
        case .execute(let arguments, _, _): try execute(step, name: arguments.first ?? [])
        case .executePodInit: try executePodInit()
        case .hold(let point): try hold(at: point)
        }
    }
}
