package import OCI

/// A seccomp profile with its conditions still open: what a JSON profile of docker's and containers' format says.
package struct SeccompProfile: Sendable, Equatable {
    package var defaultAction: SeccompAction
    /// Interfaces the filter covers; empty = the native one.
    package var architectures: [String]
    package var flags: [String]
    package var rules: [Rule]

    package init(defaultAction: SeccompAction, architectures: [String], flags: [String] = [], rules: [Rule]) {
        self.defaultAction = defaultAction
        self.architectures = architectures
        self.flags = flags
        self.rules = rules
    }

    /// What happens to some calls, where all arguments compare and all conditions hold.
    package struct Rule: Sendable, Equatable {
        package var names: [String]
        package var action: SeccompAction
        package var arguments: [RuntimeSeccomp.Argument]
        package var includes: Condition
        package var excludes: Condition

        package init(
            _ names: [String], _ action: SeccompAction, arguments: [RuntimeSeccomp.Argument] = [],
            includes: Condition = Condition(), excludes: Condition = Condition()
        ) {
            self.names = names
            self.action = action
            self.arguments = arguments
            self.includes = includes
            self.excludes = excludes
        }
    }

    /// As `includes`: all of it must hold. As `excludes`: none of it may.
    package struct Condition: Sendable, Equatable {
        package var capabilities: [String] = []
        /// Go's names of architectures.
        package var architectures: [String] = []
        package var kernel: KernelVersion?

        package init() {}

        package init(capabilities: [String]) { self.capabilities = capabilities }
    }

    /// Decides the conditions: the rules that hold for a process with these capabilities in its bounding set.
    package func resolved(capabilities: Set<String>, kernel: KernelVersion) -> RuntimeSeccomp {
        var out = RuntimeSeccomp(defaultAction: defaultAction.name, defaultErrnoRet: defaultAction.number)
        out.architectures = architectures
        out.flags = flags
        out.syscalls = rules.compactMap { rule in
            guard
                rule.applies(capabilities: capabilities, kernel: kernel, architecture: SeccompArchitecture.nativeGoName)
            else { return nil }
            return RuntimeSeccomp.Syscall(
                rule.names, action: rule.action.name, errnoRet: rule.action.number, args: rule.arguments)
        }
        return out
    }
}

extension SeccompProfile.Rule {
    func applies(capabilities: Set<String>, kernel: KernelVersion, architecture: String) -> Bool {
        guard includes.capabilities.allSatisfy(capabilities.contains) else { return false }
        guard includes.architectures.isEmpty || includes.architectures.contains(architecture) else { return false }
        if let least = includes.kernel, kernel < least { return false }
        guard !excludes.capabilities.contains(where: capabilities.contains) else { return false }
        guard !excludes.architectures.contains(architecture) else { return false }
        if let least = excludes.kernel, kernel >= least { return false }
        return true
    }
}

extension SeccompAction {
    /// The runtime-spec's word.
    package var name: String {
        switch self {
        case .killThread: "SCMP_ACT_KILL_THREAD"
        case .killProcess: "SCMP_ACT_KILL_PROCESS"
        case .trap: "SCMP_ACT_TRAP"
        case .allow: "SCMP_ACT_ALLOW"
        case .log: "SCMP_ACT_LOG"
        case .errno: "SCMP_ACT_ERRNO"
        case .trace: "SCMP_ACT_TRACE"
        }
    }

    var number: UInt32? {
        switch self {
        case .errno(let number), .trace(let number): UInt32(number)
        default: nil
        }
    }
}
