import Linux
import Model
import Synchronization

/// What the store has: images, layers, and who needs which layer. Memory is a copy of the records on disk.
///
/// Looking is quick and from any thread. Changing happens on one thread, the writer's: first the disk, then memory.
final class Catalog: Sendable {
    struct State {
        var images: [Digest: ImageRecord] = [:]
        /// By directory name.
        var layers: [String: LayerRecord] = [:]
        /// Directory names by the digest of their content.
        var layersByDiffID: [Digest: Set<String>] = [:]
        /// Bytes of each document.
        var blobs: [Digest: Int64] = [:]
        /// Layers in the hands of pulls and views that run now.
        var pins: [String: Int] = [:]
        var retained: [ContainerID: Set<String>] = [:]
        var generation: UInt64 = 0
        var nextLayer: UInt64 = 1
    }

    let directories: StoreDirectories
    private let state: Mutex<State>
    /// One thread: what runs on it excludes every other change.
    private let writer = BlockingPool(name: "image-records", threadsMax: 1)
    /// For trees that take their time to go.
    private let remover = BlockingPool(name: "image-remove", threadsMax: 2)

    init(directories: StoreDirectories, state: State) {
        self.directories = directories
        self.state = Mutex(state)
    }

    /// Looks at the present state.
    func look<T: Sendable>(_ body: (borrowing State) -> T) -> T { state.withLock { body($0) } }

    /// Runs a change on the writer's thread.
    private func change<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await writer.run(body)
    }

    // MARK: Layers

    /// Keeps a layer that fits from being removed until `unpin`; nil where there is none.
    func pinLayer(diffID: Digest, chainID: Digest) -> LayerRecord? {
        state.withLock { state in
            let candidates = (state.layersByDiffID[diffID] ?? []).compactMap { state.layers[$0] }
            guard
                let layer = candidates.first(where: { $0.chainID == chainID })
                    ?? candidates.first(where: { $0.chainID == nil })
            else {
                return nil
            }
            state.pins[layer.name, default: 0] += 1
            return layer
        }
    }

    /// Keeps the layers of an image from being removed until `unpin`.
    func pinLayers(of id: Digest) -> ImageRecord? {
        state.withLock { state in
            guard let image = state.images[id] else { return nil }
            for layer in image.layers { state.pins[layer, default: 0] += 1 }
            return image
        }
    }

    func unpin(_ names: [String]) {
        state.withLock { state in
            for name in names {
                let left = (state.pins[name] ?? 1) - 1
                state.pins[name] = left > 0 ? left : nil
            }
        }
    }

    /// Makes an unpacked and verified directory of tmp a layer. Unless this returns true, the directory is still the
    /// caller's: another pull was quicker, and its layer is the one.
    func addLayer(
        temporary: Path, diffID: Digest, chainID: Digest?, usage: LayerUsage, implied: [LayerPath], isRootOpaque: Bool
    ) async throws -> Bool {
        try await change { [self] in
            let known = look { state in
                (state.layersByDiffID[diffID] ?? []).contains { state.layers[$0]?.chainID == chainID }
            }
            if known { return false }
            let name = state.withLock { state in
                defer { state.nextLayer += 1 }
                return String(state.nextLayer)
            }
            let record = LayerRecord(
                name: name, diffID: diffID, chainID: chainID, usage: usage, isRootOpaque: isRootOpaque,
                hasImplied: !implied.isEmpty)
            let (records, layers) = (directories.records, directories.layers)
            do {
                if record.hasImplied {
                    try records.fd.replaceFile(ImpliedDirectories.file(name), ImpliedDirectories.encode(implied))
                }
                try directories.temporary.fd.rename(temporary, to: Path(name), in: layers.fd, replacing: false)
                try RecordFile.write(record, Path(name), in: records)
            } catch {
                bestEffort { () throws(Errno) in
                    try layers.fd.rename(Path(name), to: temporary, in: directories.temporary.fd)
                }
                bestEffort { () throws(Errno) in try records.fd.removeIfPresent(ImpliedDirectories.file(name)) }
                throw (error as? Errno).map { ImageStoreError("add layer to", directories.path, $0) } ?? error
            }
            state.withLock { state in
                state.layers[name] = record
                state.layersByDiffID[diffID, default: []].insert(name)
            }
            return true
        }
    }

    /// Removes the layers that no image, no container and no running pull needs.
    func removeUnreferencedLayers() async throws {
        let removed = try await change { [self] in
            // Out of memory first, in one step with the look at the pins: nobody can take up what is going.
            let names: [String] = state.withLock { state in
                var needed = Set(state.pins.keys)
                for image in state.images.values { needed.formUnion(image.layers) }
                for layers in state.retained.values { needed.formUnion(layers) }
                let names = state.layers.keys.filter { !needed.contains($0) }
                for name in names {
                    guard let record = state.layers.removeValue(forKey: name) else { continue }
                    state.layersByDiffID[record.diffID]?.remove(name)
                    if state.layersByDiffID[record.diffID]?.isEmpty == true {
                        state.layersByDiffID[record.diffID] = nil
                    }
                }
                return names
            }
            return try names.map { name in
                let trash = directories.temporaryName()
                do throws(Errno) {
                    try directories.records.fd.removeIfPresent(Path(name))
                    try directories.records.fd.removeIfPresent(ImpliedDirectories.file(name))
                    do throws(Errno) {
                        try directories.layers.fd.rename(Path(name), to: trash, in: directories.temporary.fd)
                    } catch Errno.noEntry {}
                } catch {
                    throw ImageStoreError("remove layer of", directories.path, error)
                }
                return trash
            }
        }
        // Large trees take their time: not on the writer's thread.
        for trash in removed { try await remover.run { [directories] in try directories.removeTemporary(trash) } }
    }

    // MARK: Images

    /// Adds a complete image, whose layers the caller has pinned, under the digest that it was asked for.
    func addImage(_ new: ImageRecord, documents: [Digest: [UInt8]]) async throws {
        try await change { [self] in
            let added = documents.filter { digest, _ in look { $0.blobs[digest] == nil } }
            var record = new
            if let old = look({ $0.images[new.id] }) {
                // The same image by another name: its layers stay, since containers may run on them.
                record = old
                record.repoDigests = Set(old.repoDigests + new.repoDigests).sorted()
                record.targets = Set(old.targets + new.targets).sorted()
            }
            do {
                for (digest, bytes) in added { try directories.write(bytes, as: digest) }
                try put(record)
            } catch {
                for digest in added.keys { removeBlob(digest) }
                throw error
            }
            state.withLock { state in
                for (digest, bytes) in added { state.blobs[digest] = Int64(bytes.count) }
            }
        }
    }

    /// Gives an image a name: a digest always, and a tag, which it takes from whichever image had it.
    func name(_ id: Digest, tag: String?, digest: String, target: Digest) async throws -> ImageRecord {
        try await change { [self] in
            guard var record = look({ $0.images[id] }) else {
                throw ImageStoreError.removedMeanwhile(
                    "pull image \"\(tag ?? digest)\": it was removed while it was being pulled")
            }
            let before = record
            if let tag { record.repoTags = Set(record.repoTags + [tag]).sorted() }
            record.repoDigests = Set(record.repoDigests + [digest]).sorted()
            record.targets = Set(record.targets + [target]).sorted()
            // The new owner first: after a crash in between, the younger record has the tag.
            if record != before { record = try put(record) }
            if let tag {
                for var other in look({ $0.images.values.filter { $0.id != id && $0.repoTags.contains(tag) } }) {
                    other.repoTags.removeAll { $0 == tag }
                    try put(other)
                }
            }
            return record
        }
    }

    /// Removes an image with all its names; a missing one is success. Its layers go when nobody needs them any more.
    func removeImage(_ id: Digest) async throws {
        try await change { [self] in
            guard look({ $0.images[id] }) != nil else { return }
            do throws(Errno) {
                try directories.images.fd.removeIfPresent(StoreDirectories.name(of: id))
            } catch {
                throw ImageStoreError("remove image from", directories.path, error)
            }
            let orphans: [Digest] = state.withLock { state in
                state.images[id] = nil
                let needed = Set(state.images.values.flatMap { [$0.id, $0.manifest] })
                let orphans = state.blobs.keys.filter { !needed.contains($0) }
                for digest in orphans { state.blobs[digest] = nil }
                return orphans
            }
            for digest in orphans { removeBlob(digest) }
        }
        try await removeUnreferencedLayers()
    }

    /// Writes a record and then takes it into memory. On the writer's thread only.
    @discardableResult
    private func put(_ record: ImageRecord) throws -> ImageRecord {
        var record = record
        record.generation = look { $0.generation } + 1
        try RecordFile.write(ImageFile(record), StoreDirectories.name(of: record.id), in: directories.images)
        state.withLock { [record] state in
            state.generation = record.generation
            state.images[record.id] = record
        }
        return record
    }

    private func removeBlob(_ digest: Digest) {
        bestEffort { () throws(Errno) in try directories.blobs.fd.removeIfPresent(StoreDirectories.name(of: digest)) }
    }

    // MARK: Containers

    /// Keeps layers for a container until `release`; repeated calls add. False where one of them is gone already.
    func retain(_ layers: [String], for container: ContainerID) -> Bool {
        state.withLock { state in
            state.retained[container, default: []].formUnion(layers)
            return layers.allSatisfy { $0 == StoreDirectories.emptyLayer || state.layers[$0] != nil }
        }
    }

    /// Finds an image and keeps its layers for a container, in one step.
    func retain(image id: Digest, for container: ContainerID) -> ImageRecord? {
        state.withLock { state in
            guard let image = state.images[id] else { return nil }
            state.retained[container, default: []].formUnion(image.layers)
            return image
        }
    }

    func release(_ container: ContainerID) async throws {
        guard state.withLock({ $0.retained.removeValue(forKey: container) }) != nil else { return }
        try await removeUnreferencedLayers()
    }
}

extension OwnedFD {
    /// unlink(2), for which a missing name is success.
    fileprivate func removeIfPresent(_ name: Path) throws(Errno) {
        do throws(Errno) { try unlink(name) } catch Errno.noEntry {}
    }
}
