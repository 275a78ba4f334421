import LaunchProtocol
import Linux

/// When the member of a late birth may run in the memory of the process outside until it executes its program.
///
/// That saves the copy of an address space, but who could write the member's memory would write that of a process in the
/// node's PID namespace. A process that is not dumpable is closed to all that lack CAP_SYS_PTRACE in the initial user
/// namespace (ptrace(2)); so it is done only where nobody in the member's PID namespace has that: for an exec in a container
/// that has the namespace to itself and is without it for ever, as its execs are.
extension LaunchPlan {
    /// Whether what it starts can never have CAP_SYS_PTRACE.
    var isWithoutTracing: Bool {
        let tracing: UInt64 = 1 << 19
        var isBounded = false
        for step in steps {
            switch step {
            case .setBoundingCapabilities(let mask) where mask & tracing == 0: isBounded = true
            // It survives execve(2) in a set that has no bound.
            case .setCapabilities(_, _, let inheritable, _) where inheritable & tracing != 0: return false
            default: break
            }
        }
        return isBounded
    }
}

extension Supervisor {
    /// Whether a plan is an exec in a container that has a PID namespace of its own, and that nobody has joined.
    func isAlone(_ plan: LaunchPlan, in container: Bytes) -> Bool {
        guard plan.kind == .exec, plan.pidNamespace == .container(container),
            process(named: container)?.pidNamespace == .new
        else { return false }
        for process in processes where process.isGuest { return false }
        return true
    }

    /// A container that joins another's PID namespace may be allowed to trace: what could share its memory there is ended.
    mutating func makeRoom(for plan: LaunchPlan) {
        guard plan.isGuest else { return }
        for process in processes where process.isAlone && process.phase == .launching { giveUp(process, .canceled) }
    }
}

extension LaunchPlan {
    var isGuest: Bool {
        guard kind == .container, case .container = pidNamespace else { return false }
        return true
    }
}
