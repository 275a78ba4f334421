import Model

extension ContainerController {
    /// Makes what a created container has: its record, its writable layer, its volumes. Undoes all of it where a part fails.
    func create(retaining image: RuntimeImage) async {
        do {
            try await stage("record") { try await ports.records.save(record) }
            try await stage("retain image") { try await ports.images.retain(image, for: id) }
            try await stage("writable layer") { try await ports.host.makeContainer(record) }
            for volume in record.volumes {
                try await stage("volume copy") {
                    try await ports.images.copyUp(
                        image, path: volume.containerPath, intoContainer: id, directory: volume.directory)
                }
            }
            // What cannot be planned is refused now, not at the start.
            _ = try await stage("trial plan") { try await description() }
            guard await pod.isReady() else {
                throw Fault.precondition("create container: the pod sandbox \"\(podID.short)\" is not ready")
            }
            record.phase = .created
            try await stage("final record") { try await ports.records.save(record) }
            publish()
            creation.finish(.success(id))
        } catch {
            await undoCreation()
            creation.finish(.failure(error.fault("create container \"\(record.config.metadata.name)\"")))
        }
    }

    func undoCreation() async {
        machine.removed()
        _ = await ports.bestEffort("remove directories of \(title)") { [id] in try await $0.host.removeContainer(id) }
        await ports.images.release(id)
        _ = await ports.bestEffort("remove record of \(title)") { [id] in try await $0.records.removeContainer(id) }
        inventory.withdraw(id, of: podID, name: record.config.metadata)
    }

    /// The configuration that this container was, or is being, made from.
    func configuration() -> ContainerConfig { record.config }
}
