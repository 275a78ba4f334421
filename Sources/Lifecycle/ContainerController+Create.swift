import Model

extension ContainerController {
    /// Makes what a created container has: its record, its writable layer, its volumes. Undoes all of it where a part fails.
    func create(retaining image: RuntimeImage) async {
        do {
            try await stage(.record) { try await ports.records.save(record) }
            try await stage(.retainImage, about: counted(image.layers.count, "layer")) {
                try await ports.images.retain(image, for: id)
            }
            try await stage(.writableLayer) { try await ports.host.makeContainer(record) }
            for volume in record.volumes {
                try await stage(.volumeCopy, about: volume.containerPath) {
                    try await ports.images.copyUp(
                        image, path: volume.containerPath, intoContainer: id, directory: volume.directory)
                }
            }
            // What cannot be planned is refused now, not at the start.
            _ = try await stage(.trialPlan) { try await description() }
            guard await pod.isReady() else {
                throw Fault.precondition("create container: the pod sandbox \"\(podID.short)\" is not ready")
            }
            record.phase = .created
            try await stage(.finalRecord) { try await ports.records.save(record) }
            publish()
            creation.finish(.success(id))
        } catch {
            await undoCreation()
            creation.finish(.failure(error.fault("create container \"\(record.config.metadata.name)\"")))
        }
    }

    /// True if nothing is left.
    @discardableResult
    func undoCreation() async -> Bool {
        machine.removed()
        let files = await ports.bestEffort("remove directories of \(title)") { [id] in
            try await $0.host.removeContainer(id)
        }
        await ports.images.release(id)
        let kept = await ports.bestEffort("remove record of \(title)") { [id] in
            try await $0.records.removeContainer(id)
        }
        inventory.withdraw(id, of: podID, name: record.config.metadata)
        return files == nil && kept == nil
    }

    /// The configuration that this container was, or is being, made from.
    func configuration() -> ContainerConfig { record.config }
}
