import LaunchProtocol
import Model
import OCI
import Seccomp

/// What a process is: the steps before anything is mounted, and the end of every plan that executes something.
struct ProcessSteps {
    private let process: RuntimeProcess
    private let bounding: CapabilitySet
    private let effective: CapabilitySet
    private let permitted: CapabilitySet
    private let filter: SeccompFilter?
    private let host: HostFacts
    private let limits: [Step]

    init(_ process: RuntimeProcess, _ profile: RuntimeSeccomp?, host: HostFacts, seccomp: SeccompCompiler) throws(Fault)
    {
        self.process = process
        self.host = host
        let sets = process.capabilities ?? RuntimeProcess.Capabilities()
        guard sets.inheritable.isEmpty else {
            throw .unimplemented("process.capabilities.inheritable is not supported")
        }
        guard sets.ambient.isEmpty else { throw .unimplemented("process.capabilities.ambient is not supported") }
        bounding = try Self.set(sets.bounding)
        permitted = try Self.set(sets.permitted)
        effective = try Self.set(sets.effective)
        guard effective.isSubset(of: permitted), permitted.isSubset(of: bounding) else {
            throw .invalid("process.capabilities: effective must be within permitted, and permitted within bounding")
        }
        guard bounding.isSubset(of: host.heldCapabilities) else {
            let missing = bounding.subtracting(host.heldCapabilities).names.joined(separator: ", ")
            throw .precondition("process.capabilities: this runtime does not have \(missing) itself")
        }
        do {
            filter = try profile.map { profile throws(SeccompError) in try seccomp.filter(for: profile) }
        } catch {
            throw Fault(.invalidArgument, "seccomp", cause: "\(error)")
        }
        limits = try Self.limits(process.rlimits, clamp: !host.mayRaiseLimits)
    }

    /// Through the supervisor's own /proc and with its privileges, so before all others.
    var inherited: [Step] {
        var steps: [Step] = []
        if let adjustment = process.oomScoreAdj {
            steps.append(.setOOMScoreAdj(value: Int32(clamping: adjustment), clamp: !host.mayRaiseLimits))
        }
        return steps + [.resetScheduling] + limits
    }

    /// From the mounted root to the program.
    ///
    /// Bounding set, groups and ids come first, while CAP_SETPCAP, CAP_SETGID and CAP_SETUID are there. The directory
    /// is entered as the user, but with the right to pass any directory: WORKDIR of an image is often closed to its
    /// USER, and a server that maps root to nobody opens its directories to the user only.
    ///
    /// A filter without no_new_privs may be loaded only with CAP_SYS_ADMIN effective (seccomp(2)), so before
    /// capabilities are given up; the profile then has to allow capset(2) and execve(2). With no_new_privs it is
    /// loaded last, and the profile has to allow execve(2) alone. runc has the same order, but changes ids too under
    /// the first kind of filter.
    func tail(hold: [Step], ending: Step? = nil) -> [Step] {
        let user = process.user
        let loadsEarly = filter != nil && !process.noNewPrivileges
        var steps: [Step] = [
            .setUmask(user.umask ?? 0o022), .newSessionKeyring, .setBoundingCapabilities(bounding.rawValue),
            .setUser(uid: user.uid, gid: user.gid, groups: user.additionalGids),
        ]
        // setresuid(2) away from 0 empties the effective set; root keeps it.
        if user.uid != 0 {
            var needed: CapabilitySet = [.dacOverride, .dacReadSearch]
            if loadsEarly { needed.insert(.sysAdmin) }
            needed.formIntersection(host.heldCapabilities)
            steps.append(capabilities(effective: needed, permitted: permitted.union(needed)))
        }
        steps.append(.changeDirectory(Array(process.cwd.utf8)))
        steps += hold
        let final = capabilities(effective: effective, permitted: permitted)
        if loadsEarly {
            steps += load + [final]
        } else {
            steps.append(final)
            if process.noNewPrivileges { steps.append(.setNoNewPrivileges) }
            steps += load
        }
        steps.append(ending ?? execute)
        return steps
    }

    private var load: [Step] { filter.map { [.installSeccompFilter(program: $0.program, flags: $0.flags)] } ?? [] }

    private var execute: Step {
        // Entries that are not absolute would make the program depend on the directory it starts in.
        let path = Environment(process.env).value("PATH") ?? []
        let entries = path.split(separator: UInt8(ascii: ":")).filter { $0.first == UInt8(ascii: "/") }
        return .execute(
            arguments: process.args.map { Array($0.utf8) }, environment: process.env.map(\.bytes),
            searchPath: entries.map(Array.init))
    }

    private func capabilities(effective: CapabilitySet, permitted: CapabilitySet) -> Step {
        .setCapabilities(effective: effective.rawValue, permitted: permitted.rawValue, inheritable: 0, ambient: 0)
    }

    private static func set(_ names: [String]) throws(Fault) -> CapabilitySet {
        var out: CapabilitySet = []
        for name in names {
            guard let capability = CapabilitySet(name: name) else {
                throw .invalid("process.capabilities: unknown capability \(NodePath.quoted(name))")
            }
            out.formUnion(capability)
        }
        return out
    }

    /// RLIMIT_* of asm-generic/resource.h, by their numbers.
    private static let limitNames = [
        "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC",
        "RLIMIT_NOFILE",
        "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE",
        "RLIMIT_RTPRIO",
        "RLIMIT_RTTIME",
    ]

    private static func limits(_ limits: [RuntimeProcess.ResourceLimit], clamp: Bool) throws(Fault) -> [Step] {
        var seen: Set<UInt32> = []
        var out: [Step] = []
        for limit in limits {
            guard let number = limitNames.firstIndex(of: limit.type).map(UInt32.init) else {
                throw .invalid("process.rlimits: unknown limit \(NodePath.quoted(limit.type))")
            }
            guard seen.insert(number).inserted else {
                throw .invalid("process.rlimits has \(NodePath.quoted(limit.type)) twice")
            }
            guard limit.soft <= limit.hard else {
                throw .invalid("process.rlimits: \(NodePath.quoted(limit.type)) has a soft limit above its hard limit")
            }
            out.append(.setResourceLimit(resource: number, soft: limit.soft, hard: limit.hard, clamp: clamp))
        }
        return out
    }
}
