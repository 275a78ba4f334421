package import OCI
import Synchronization

/// Turns profiles into filters, and keeps the filters: compiling RuntimeDefault costs milliseconds, which would be a good
/// part of a start.
///
/// A filter depends on the profile's decided rules only; pods on one node use a handful of different ones.
package final class SeccompCompiler: Sendable {
    /// Filters kept before all are dropped; a filter and its profile take about 30 kB.
    private static let keptMax = 64

    /// Is told that a compilation begins; what it returns is called at its end, with the number of instructions or nil for a
    /// profile that is refused. In the caller's task.
    package typealias Watch = @Sendable () -> @Sendable (_ instructions: Int?) -> Void

    private let kept = Mutex<[RuntimeSeccomp: SeccompFilter]>([:])
    private let watch: Watch?

    package init(watch: Watch? = nil) { self.watch = watch }

    /// The filter of a profile whose conditions are decided.
    package func filter(for profile: RuntimeSeccomp) throws(SeccompError) -> SeccompFilter {
        if let filter = kept.withLock({ $0[profile] }) { return filter }
        let ended = watch?()
        let filter: SeccompFilter
        do throws(SeccompError) {
            filter = try Self.compile(profile)
        } catch {
            ended?(nil)
            throw error
        }
        ended?(filter.program.count / 8)
        kept.withLock { kept in
            if kept.count >= Self.keptMax { kept.removeAll() }
            kept[profile] = filter
        }
        return filter
    }

    private static func compile(_ profile: RuntimeSeccomp) throws(SeccompError) -> SeccompFilter {
        var filter = try uncompacted(profile)
        let program = FilterCompaction.compacted(BPFInstruction.all(in: filter.program))
        // BPF_MAXINSNS of linux/bpf_common.h.
        guard program.count <= 4096 else { throw .tooManyInstructions(program.count) }
        filter.program = program.flatMap(\.bytes)
        return filter
    }

    /// The filter as libseccomp writes it, behind what it does not know.
    static func uncompacted(_ profile: RuntimeSeccomp) throws(SeccompError) -> SeccompFilter {
        guard profile.listenerPath.isEmpty else { throw .unknown(what: "member", value: "listenerPath") }
        var flags: UInt32 = 0
        for name in profile.flags {
            guard let flag = SeccompFlag(rawValue: name) else { throw .unknown(what: "flag", value: name) }
            flags |= flag.kernelValue
        }
        let action = try SeccompAction(name: profile.defaultAction, number: profile.defaultErrnoRet)
        let architectures = try architectures(profile)
        let library = try SeccompLibrary.empty(defaultAction: action, architectures: architectures)
        var unknown: [String] = []
        var newer: [UnknownSyscalls.Decision] = []
        for rule in profile.syscalls {
            let ruleAction = try SeccompAction(name: rule.action, number: rule.errnoRet)
            let conditions = try conditions(rule)
            for name in rule.names {
                if let number = library.number(of: name) {
                    if ruleAction != action { try library.add(name, number, ruleAction, conditions) }
                } else if let number = UnknownSyscalls.newer[name], rule.args.isEmpty {
                    newer.append(.init(number: number, action: ruleAction.kernelValue))
                } else {
                    unknown.append(name)
                }
            }
        }
        let names = profile.syscalls.flatMap(\.names)
        let permissive = action == .allow || action == .log
        let tables = architectures.map { architecture in
            UnknownSyscalls.Table(
                architecture: architecture,
                highest: permissive ? nil : library.highestNumber(of: names, in: architecture), decisions: newer)
        }
        let front = permissive && newer.isEmpty ? [] : UnknownSyscalls(tables: tables).instructions()
        return SeccompFilter(
            program: front.flatMap(\.bytes) + (try library.program()), flags: flags, unknownNames: unknown)
    }

    /// The profile's interfaces that exist on this machine; the native one is always among them.
    private static func architectures(_ profile: RuntimeSeccomp) throws(SeccompError) -> [SeccompArchitecture] {
        var out = [SeccompArchitecture.native]
        for name in profile.architectures {
            guard SeccompArchitecture.isKnown(name) else { throw .unknown(what: "architecture", value: name) }
            guard let known = SeccompArchitecture(rawValue: name), SeccompArchitecture.nativeFamily.contains(known),
                !out.contains(known)
            else { continue }
            out.append(known)
        }
        return out
    }

    private static func conditions(_ rule: RuntimeSeccomp.Syscall) throws(SeccompError) -> [SeccompLibrary.Condition] {
        var out: [SeccompLibrary.Condition] = []
        for argument in rule.args {
            guard argument.index < 6 else { throw .unknown(what: "argument", value: "\(argument.index)") }
            // libseccomp cannot join two comparisons of one argument, and two rules would be "or" where "and" was
            // meant.
            guard !out.contains(where: { $0.index == argument.index }) else {
                throw .malformed(reason: "a rule compares argument \(argument.index) twice")
            }
            out.append(
                SeccompLibrary.Condition(
                    index: argument.index, how: try SeccompOperator(name: argument.op), value: argument.value,
                    valueTwo: argument.valueTwo ?? 0))
        }
        return out
    }
}
