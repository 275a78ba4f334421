import LaunchProtocol
import Model
import OCI

/// The parts of a description that are needed, and the refusal of all that a plan cannot carry out.
struct SpecSupport {
    var process: RuntimeProcess
    var root: RuntimeSpec.Root
    var mounts: [RuntimeMount]
    var hostname: String
    var linux: RuntimeLinux

    init(spec: RuntimeSpec) throws(Fault) {
        guard let process = spec.process else { throw .invalid("the description has no process") }
        guard let root = spec.root else { throw .invalid("the description has no root") }
        guard let linux = spec.linux else { throw .invalid("the description has no linux part") }
        self.process = process
        self.root = root
        self.linux = linux
        mounts = spec.mounts
        hostname = spec.hostname
        for (field, isSet) in Self.unsupported(spec, process, linux) where isSet {
            throw .unimplemented("\(field) is not supported")
        }
        try checkNamespaces()
    }

    private static func unsupported(
        _ spec: RuntimeSpec, _ process: RuntimeProcess, _ linux: RuntimeLinux
    ) -> [(String, Bool)] {
        [
            ("domainname", !spec.domainname.isEmpty), ("hooks", !(spec.hooks?.isEmpty ?? true)),
            ("process.apparmorProfile", !process.apparmorProfile.isEmpty),
            ("process.selinuxLabel", !process.selinuxLabel.isEmpty), ("process.scheduler", process.scheduler != nil),
            ("process.ioPriority", process.ioPriority != nil),
            ("process.execCPUAffinity", process.execCPUAffinity != nil),
            ("linux.uidMappings", !linux.uidMappings.isEmpty), ("linux.gidMappings", !linux.gidMappings.isEmpty),
            ("linux.sysctl", !linux.sysctl.isEmpty), ("linux.mountLabel", !linux.mountLabel.isEmpty),
            ("linux.intelRdt", linux.intelRdt != nil), ("linux.memoryPolicy", linux.memoryPolicy != nil),
            ("linux.personality", linux.personality != nil), ("linux.timeOffsets", !linux.timeOffsets.isEmpty),
            ("linux.netDevices", !linux.netDevices.isEmpty),
            ("linux.resources.network", linux.resources?.network != nil),
            ("linux.resources.rdma", !(linux.resources?.rdma.isEmpty ?? true)),
            ("linux.resources.blockIO", linux.resources?.blockIO != nil),
        ]
    }

    func namespace(_ kind: RuntimeLinux.Namespace.Kind) -> RuntimeLinux.Namespace? {
        linux.namespaces.first { $0.type == kind }
    }

    func hasNamespace(_ kind: RuntimeLinux.Namespace.Kind) -> Bool { namespace(kind) != nil }

    /// Where the process is born.
    func pidNamespace() throws(Fault) -> LaunchPlan.PIDNamespace {
        guard let pid = namespace(.pid) else { return .host }
        if pid.path.isEmpty { return .new }
        if pid.path == NamespacePath.pod { return .podInit }
        if let container = NamespacePath.container(in: pid.path) { return .container(Array(container.text.utf8)) }
        throw .unimplemented("pid namespace at \(NodePath.quoted(pid.path)) is not supported")
    }

    /// What a further process joins of the main one.
    var joinFlags: UInt64 {
        var flags = NamespaceFlag.mount
        if hasNamespace(.network) { flags |= NamespaceFlag.network }
        if hasNamespace(.ipc) { flags |= NamespaceFlag.ipc }
        if hasNamespace(.uts) { flags |= NamespaceFlag.uts }
        if hasNamespace(.cgroup) { flags |= NamespaceFlag.cgroup }
        return flags
    }

    private func checkNamespaces() throws(Fault) {
        var seen: Set<RuntimeLinux.Namespace.Kind> = []
        for namespace in linux.namespaces {
            let name = namespace.type.rawValue
            guard seen.insert(namespace.type).inserted else { throw .invalid("linux.namespaces has \"\(name)\" twice") }
            switch namespace.type {
            case .user, .time: throw .unimplemented("\(name) namespace is not supported")
            case .mount, .cgroup:
                guard namespace.path.isEmpty else {
                    throw .unimplemented("an existing \(name) namespace is not supported")
                }
            case .network, .ipc, .uts:
                guard !namespace.path.isEmpty else {
                    throw .unimplemented("a \(name) namespace of a single container is not supported")
                }
            case .pid: continue
            }
        }
        guard seen.contains(.mount) else {
            throw .unimplemented("a container without a mount namespace is not supported")
        }
    }
}

/// The namespaces of a description have to be those that the pod's supervisor lives in: a container inherits them.
struct PodAgreement {
    var pod: PodConfig
    var nodeHostname: String

    func check(_ parts: SpecSupport) throws(Fault) {
        try agree(parts, .network, !pod.sharesNodeNetwork)
        try agree(parts, .uts, !pod.sharesNodeNetwork)
        try agree(parts, .ipc, !pod.sharesNodeIPC)
        let own = pod.effectiveHostname(node: nodeHostname)
        guard parts.hostname.isEmpty || (parts.hasNamespace(.uts) && parts.hostname == own) else {
            throw .unimplemented("hostname \(NodePath.quoted(parts.hostname)) differs from the pod's")
        }
    }

    private func agree(_ parts: SpecSupport, _ kind: RuntimeLinux.Namespace.Kind, _ podHasOwn: Bool) throws(Fault) {
        guard parts.hasNamespace(kind) != podHasOwn else { return }
        throw .invalid(
            "\(kind.rawValue) namespace: the description says \(podHasOwn ? "the node's" : "the pod's"), "
                + "the pod has \(podHasOwn ? "its own" : "the node's")"
        )
    }
}
