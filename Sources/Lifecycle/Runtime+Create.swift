import Model

extension Runtime {
    /// The record of a new container, with all that its image decides, and the image.
    func newRecord(_ config: ContainerConfig, pod: PodRecord) async throws -> (ContainerRecord, RuntimeImage) {
        let resolved = try await withImage(config.image) { try await ports.images.image(config.image) }
        StagePlace.current?.describe("\(config.image), \(counted(resolved.image.layers.count, "layer"))")
        try checkNamespaces(config, pod: pod)
        let user = try await stage(.user) {
            try await withImage(config.image) {
                try await ports.images.resolveUser(resolved.image, choice: config.security.user)
            }
        }
        let id = ContainerID.random()
        var record = ContainerRecord(
            id: id, podID: pod.id, config: config, image: resolved.image, imageReference: resolved.reference,
            user: user,
            phase: .creating, createdAt: ports.clock.now(),
            stopSignal: try StopSignal.effective(requested: config.stopSignal, image: resolved.image.stopSignal),
            cgroup: try ports.cgroups.containerPath(parent: pod.config.cgroupParent, container: id))
        if settings.changeable.current.copiesImageVolumes {
            let mounted = Set(config.mounts.map(\.containerPath))
            record.volumes = resolved.image.volumes.filter { !mounted.contains($0) }.enumerated().map { index, path in
                ContainerRecord.VolumeDirectory(containerPath: path, directory: "volumes/\(index)")
            }
        }
        return (record, resolved.image)
    }

    /// An image may be collected at any moment until the container retains it; NotFound would say that the sandbox is unknown.
    private func withImage<Value>(_ name: String, _ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let fault as Fault where fault.code == .notFound {
            throw Fault.precondition("create container: image \"\(name)\" is not on this node; pull it first")
        }
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
