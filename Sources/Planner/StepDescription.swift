package import LaunchProtocol

/// Says in words what a step of a plan does, for the error that a failed launch ends in.
package enum StepDescription {
    /// The sentence for a failed step: the operation, its arguments, why; `detail` is added where it tells something
    /// new.
    ///
    /// `mount "/data" at "/var/lib/x": no such file or directory`
    package static func sentence(_ plan: LaunchPlan, index: Int, errno: Int32, detail: [UInt8]) -> String {
        guard let step = step(index, of: plan) else { return joined("launch", errno, detail) }
        if case .execute(let arguments, _, _) = step, errno == ErrnoText.notFound, let name = arguments.first,
            !name.contains(UInt8(ascii: "/"))
        {
            return "exec \(quoted(name)): executable file not found in $PATH"
        }
        return joined(operation(step, of: plan), errno, detail)
    }

    /// Whether the step executes the container's program: then the request is at fault, not the node.
    package static func isExecute(_ plan: LaunchPlan, index: Int) -> Bool {
        if case .execute = step(index, of: plan) { true } else { false }
    }

    private static func step(_ index: Int, of plan: LaunchPlan) -> Step? {
        plan.steps.indices.contains(index) ? plan.steps[index] : nil
    }

    private static func joined(_ operation: String, _ errno: Int32, _ detail: [UInt8]) -> String {
        let text = "\(operation): \(ErrnoText.text(errno))"
        let extra = quoted(detail)
        return detail.isEmpty || operation.contains(extra) ? text : "\(text) (at \(extra))"
    }

    /// What a step does, with its key arguments.
    static func operation(_ step: Step, of plan: LaunchPlan) -> String {
        switch step {
        case .setOOMScoreAdj(let value, _): "set oom_score_adj to \(value)"
        case .resetScheduling: "reset scheduling"
        case .setResourceLimit(let resource, let soft, let hard, _): "set resource limit \(resource) to \(soft):\(hard)"
        case .makeOverlay(_, let directory, let lowers, _, _, _, _):
            "mount overlay of \(lowers.count) layers in \(quoted(directory))"
        case .cloneTree(let register, let source, _, _, _, _, _): mounting(quoted(source), register, plan)
        case .makeFilesystem(let register, let type, _, _, _): mounting(word(type), register, plan)
        case .enterMountNamespace: "enter a mount namespace"
        case .attachRoot(_, let anchor): "mount root file system at \(quoted(anchor))"
        case .attach(let register, let target, _): "mount \(source(of: register, in: plan)) at \(quoted(target))"
        case .makeDirectory(let target, _, _, _): "make directory \(quoted(target))"
        case .makeSymlink(let target, let text): "make link \(quoted(target)) to \(quoted(text))"
        case .makeDevice(let target, _, let major, let minor, _, _, _):
            "make device \(quoted(target)) (\(major):\(minor))"
        case .mask(let target): "mask \(quoted(target))"
        case .makeReadonly(let target): "make \(quoted(target)) read-only"
        case .makeRootReadonly: "make root file system read-only"
        case .setRootPropagation: "set propagation of root file system"
        case .pivotRoot: "change root"
        case .openTerminal: "open terminal"
        case .joinContainer: "join namespaces of the container"
        case .unshareNamespaces: "make namespaces of the pod"
        case .pinNamespace(let name, let path): "pin \(word(name)) namespace at \(quoted(path))"
        case .setHostname(let name): "set hostname to \(quoted(name))"
        case .bringLoopbackUp: "bring up loopback"
        case .writeSysctl(let path, let value): "set sysctl \(quoted(path)) to \(quoted(value))"
        case .setUmask: "set umask"
        case .newSessionKeyring: "make session keyring"
        case .setBoundingCapabilities: "limit capabilities"
        case .setUser(let uid, let gid, _): "become user \(uid):\(gid)"
        case .setCapabilities: "set capabilities"
        case .setNoNewPrivileges: "set no_new_privs"
        case .changeDirectory(let path): "change to working directory \(quoted(path))"
        case .installSeccompFilter: "load seccomp filter"
        case .execute(let arguments, _, _): "exec \(quoted(arguments.first ?? []))"
        case .executePodInit: "exec init of the pod"
        case .hold: "wait for go"
        }
    }

    private static func mounting(_ source: String, _ register: MountRegister, _ plan: LaunchPlan) -> String {
        for case .attach(register, let target, _) in plan.steps { return "mount \(source) at \(quoted(target))" }
        return "mount \(source)"
    }

    private static func source(of register: MountRegister, in plan: LaunchPlan) -> String {
        for step in plan.steps {
            switch step {
            case .cloneTree(register, let source, _, _, _, _, _): return quoted(source)
            case .makeFilesystem(register, let type, _, _, _): return word(type)
            default: continue
            }
        }
        return "file system"
    }

    private static func word(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }
    private static func quoted(_ bytes: Bytes) -> String { NodePath.quoted(word(bytes)) }
}
