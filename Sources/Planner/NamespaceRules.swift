package import Model
import OCI

/// In which namespaces a container lives.
struct NamespaceRules {
    var pod: PodConfig
    var podFacts: PodFacts

    func namespaces(of container: ContainerConfig) throws(Fault) -> [RuntimeLinux.Namespace] {
        let modes = container.security.namespaces
        try agree(modes.network, pod.namespaces.network, "network")
        try agree(modes.ipc, pod.namespaces.ipc, "ipc")
        var out = [RuntimeLinux.Namespace(.mount)]
        if let pid = try pid(modes) { out.append(pid) }
        if !pod.sharesNodeNetwork {
            out.append(.init(.network, path: podFacts.networkNamespace))
            out.append(.init(.uts, path: NamespacePath.pod))
        }
        if !pod.sharesNodeIPC { out.append(.init(.ipc, path: NamespacePath.pod)) }
        // A privileged container sees all cgroups, as containerd has it.
        if !container.security.privileged { out.append(.init(.cgroup)) }
        return out
    }

    /// The container's mode has to be the pod's; POD, which is also the CRI's default, means just that.
    private func agree(_ mode: NamespaceMode, _ pods: NamespaceMode, _ what: String) throws(Fault) {
        guard pods == .pod || pods == .node else {
            throw .invalid("\(what) namespace of a pod cannot be \(quoted(pods))")
        }
        guard mode == .pod || mode == pods else {
            throw .invalid("\(what) namespace \(quoted(mode)) of the container differs from the pod's, \(quoted(pods))")
        }
    }

    private func pid(_ modes: NamespaceModes) throws(Fault) -> RuntimeLinux.Namespace? {
        guard pod.namespaces.pid != .target else { throw .invalid("pid namespace of a pod cannot be \"TARGET\"") }
        // POD means what the pod has: its init's, the node's, or one for each container.
        let mode = modes.pid == .pod ? pod.namespaces.pid : modes.pid
        switch mode {
        case .node: return nil
        case .container: return .init(.pid)
        case .pod: return .init(.pid, path: NamespacePath.pod)
        case .target:
            guard let target = ContainerID(modes.targetID) else {
                throw .invalid("target_id \(NodePath.quoted(modes.targetID)) is not a container id")
            }
            return .init(.pid, path: NamespacePath.container(target))
        }
    }

    private func quoted(_ mode: NamespaceMode) -> String { "\"\(mode.rawValue.uppercased())\"" }
}

/// How our descriptions name namespaces that belong to processes: there is no path that would hold before the process
/// exists.
package enum NamespacePath {
    /// The pod's: its supervisor's for IPC and UTS, its init's for PID.
    package static let pod = "pod"
    private static let containerPrefix = "container:"

    /// The PID namespace of another container of the pod.
    package static func container(_ id: ContainerID) -> String { containerPrefix + id.text }

    static func container(in path: String) -> ContainerID? {
        path.hasPrefix(containerPrefix) ? ContainerID(String(path.dropFirst(containerPrefix.count))) : nil
    }
}
