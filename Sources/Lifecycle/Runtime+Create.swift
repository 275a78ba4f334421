import Model

extension Runtime {
    /// The record of a new container, with all that its image decides, and the image.
    func newRecord(_ config: ContainerConfig, pod: PodRecord) async throws -> (ContainerRecord, RuntimeImage) {
        let resolved: ResolvedImage
        do {
            resolved = try await ports.images.image(config.image)
        } catch let fault as Fault where fault.code == .notFound {
            // NotFound would say that the sandbox is unknown.
            throw Fault.precondition("create container: image \"\(config.image)\" is not on this node; pull it first")
        }
        try checkNamespaces(config, pod: pod)
        let user = try await ports.images.resolveUser(resolved.image, choice: config.security.user)
        let id = ContainerID.random()
        var record = ContainerRecord(
            id: id, podID: pod.id, config: config, image: resolved.image, imageReference: resolved.reference,
            user: user,
            phase: .creating, createdAt: ports.clock.now(),
            stopSignal: try StopSignal.effective(requested: config.stopSignal, image: resolved.image.stopSignal),
            cgroup: try ports.cgroups.containerPath(parent: pod.config.cgroupParent, container: id))
        if settings.copiesImageVolumes {
            let mounted = Set(config.mounts.map(\.containerPath))
            record.volumes = resolved.image.volumes.filter { !mounted.contains($0) }.enumerated().map { index, path in
                ContainerRecord.VolumeDirectory(containerPath: path, directory: "volumes/\(index)")
            }
        }
        return (record, resolved.image)
    }

    /// Rules between a container's namespaces and privileges and those of its sandbox.
    private func checkNamespaces(_ config: ContainerConfig, pod: PodRecord) throws {
        if config.security.privileged, !pod.config.privileged {
            throw Fault.invalid(
                "linux.security_context.privileged: no privileged container is allowed in a sandbox that is not privileged"
            )
        }
        guard config.security.namespaces.pid == .target else { return }
        let target = config.security.namespaces.targetID
        guard let container = try inventory.container(named: target), container.record.podID == pod.id else {
            throw Fault.invalid("namespace_options.target_id: \"\(target)\" is no container of this pod sandbox")
        }
        guard case .running = container.state else {
            throw Fault.precondition("namespace_options.target_id: container \"\(target)\" is not running")
        }
    }
}
