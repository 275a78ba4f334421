package import Model
package import OCI
import Seccomp

/// Describes a container in the runtime-spec's words: a pure function of the request, the image and the facts.
///
/// What the request says is obeyed; what it only forwards from an image (environment, paths of volumes, entrypoint)
/// is data. Labels and annotations, the pod's or the image's, are never looked at.
package struct SpecBuilder: Sendable {
    package let host: HostFacts
    package let defaults: RuntimeDefaults

    package init(host: HostFacts, defaults: RuntimeDefaults = RuntimeDefaults()) {
        self.host = host
        self.defaults = defaults
    }

    /// The description of one container of a pod.
    package func spec(
        pod: PodConfig, podFacts: PodFacts, container: ContainerConfig, facts: ContainerFacts, image: RuntimeImage,
        user: ResolvedUser
    ) throws(Fault) -> RuntimeSpec {
        let security = container.security
        guard !security.privileged || pod.privileged else {
            throw .invalid("no privileged container allowed in sandbox")
        }
        let capabilities = try CapabilityRules(host: host, defaults: defaults).capabilities(of: security)
        let devices = try DeviceRules(container: container, available: facts.devices)
        let mounts = MountRules(
            pod: pod, podFacts: podFacts, container: container, facts: facts, devices: devices.mounts)

        var spec = RuntimeSpec()
        spec.process = try process(pod: pod, container: container, image: image, user: user, capabilities: capabilities)
        spec.root = RuntimeSpec.Root(
            path: try NodePath.normalised(facts.anchor, "root path"), readonly: security.readonlyRootfs)
        spec.hostname = pod.sharesNodeNetwork ? "" : pod.effectiveHostname(node: host.hostname)
        spec.mounts = try mounts.all()
        spec.annotations = container.annotations

        var linux = RuntimeLinux()
        linux.namespaces = try NamespaceRules(pod: pod, podFacts: podFacts).namespaces(of: container)
        linux.cgroupsPath = facts.cgroupPath
        linux.rootfsPropagation = mounts.rootfsPropagation
        linux.devices = devices.nodes
        linux.resources = ResourceRules.resources(container.resources, devices: devices.rules)
        if !security.privileged {
            linux.maskedPaths = try paths(
                security.maskedPaths ?? defaults.maskedPaths + host.thermalThrottlePaths, "masked path")
            linux.readonlyPaths = try paths(security.readonlyPaths ?? defaults.readonlyPaths, "read-only path")
            linux.seccomp = try profile(security.seccomp, facts)?.resolved(
                capabilities: Set(capabilities.names), kernel: host.kernel)
        }
        spec.linux = linux
        return spec
    }

    private func process(
        pod: PodConfig, container: ContainerConfig, image: RuntimeImage, user: ResolvedUser, capabilities: CapabilitySet
    ) throws(Fault) -> RuntimeProcess {
        var process = RuntimeProcess()
        process.terminal = container.tty
        process.args = try ProcessRules.arguments(container, image)
        process.env = try ProcessRules.environment(
            container, image, user, hostname: pod.effectiveHostname(node: host.hostname),
            searchPath: defaults.searchPath)
        process.cwd = try ProcessRules.workingDirectory(container, image)
        // The primary group is named among the others too, so that leaving it does not open a file that denies it
        // (CVE-2022-36109).
        let groups = user.supplementalGroups.contains(user.gid) ? [] : [user.gid]
        process.user = RuntimeProcess.User(
            uid: user.uid, gid: user.gid, additionalGids: groups + user.supplementalGroups)
        process.capabilities = RuntimeProcess.Capabilities(all: capabilities)
        process.rlimits = defaults.resourceLimits
        process.noNewPrivileges = container.security.noNewPrivileges
        guard let adjustment = Int(exactly: container.resources.oomScoreAdj), (-1000...1000).contains(adjustment) else {
            throw .invalid("oom_score_adj \(container.resources.oomScoreAdj) is not in -1000...1000")
        }
        process.oomScoreAdj = adjustment
        return process
    }

    private func paths(_ list: [String], _ what: String) throws(Fault) -> [String] {
        var out: [String] = []
        for path in list { out.append(try NodePath.normalised(path, what)) }
        return out
    }

    /// A missing choice is unconfined, as the CRI has it; a named file must have been read.
    private func profile(_ choice: SeccompChoice?, _ facts: ContainerFacts) throws(Fault) -> SeccompProfile? {
        switch choice {
        case nil, .unconfined: return nil
        case .runtimeDefault: return .runtimeDefault
        case .localhost(let path):
            guard let profile = facts.localhostProfile else {
                throw .invalid("seccomp profile \(NodePath.quoted(path)) was not read")
            }
            return profile
        }
    }
}

extension RuntimeProcess.Capabilities {
    /// Bounding, permitted and effective; never inheritable or ambient (CVE-2022-24769).
    init(all set: CapabilitySet) {
        self.init()
        bounding = set.names
        permitted = bounding
        effective = bounding
    }
}
