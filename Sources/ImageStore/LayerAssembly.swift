import Linux
import Model

/// Turns the layers of an image into the list that overlayfs gets.
struct LayerAssembly: Sendable {
    struct Layer: Sendable {
        var record: LayerRecord
        /// Of this layer and all below it.
        var chainID: Digest
    }

    let catalog: Catalog
    let pool: BlockingPool
    let pins: Pins

    /// Lowest first; `bytes` is what the layers take on disk.
    func assemble(_ layers: [Layer]) async throws -> (names: [String], bytes: Int64) {
        var chosen: [LayerRecord] = []
        for layer in layers { chosen.append(try await suited(layer, above: chosen)) }
        // An opaque root hides all that is below it, and overlayfs does not look for that mark.
        if let opaque = chosen.lastIndex(where: \.isRootOpaque) { chosen.removeFirst(opaque) }

        // Overlayfs refuses a directory twice (ELOOP). Whatever the lower one would show, the upper one shows too.
        var seen: Set<String> = []
        let distinct = chosen.reversed().filter { seen.insert($0.name).inserted }.reversed()
        let names = distinct.map(\.name)
        return (names.isEmpty ? [StoreDirectories.emptyLayer] : names, distinct.reduce(0) { $0 + $1.usage.bytes })
    }

    /// The layer itself, or a copy of it whose directories have the metadata that the layers below give them.
    private func suited(_ layer: Layer, above lower: [LayerRecord]) async throws -> LayerRecord {
        let record = layer.record
        guard record.hasImplied, record.chainID == nil, !lower.isEmpty else { return record }
        let directories = catalog.directories
        let fixes = try await pool.run { () throws -> [ImpliedDirectories.Fix] in
            let list: [UInt8]
            do throws(Errno) {
                list = try directories.records.fd.readFile(
                    ImpliedDirectories.file(record.name), max: ImpliedDirectories.fileBytesMax)
            } catch {
                throw ImageStoreError("read record", "\(record.name).implied", error)
            }
            return try ImpliedDirectories.fixes(
                try ImpliedDirectories.decode(list), above: try lower.map { try directories.openLayer($0.name) })
        }
        guard !fixes.isEmpty else { return record }

        try await directories.withTemporaryDirectory(on: pool) { name, root in
            try await pool.run {
                try LayerClone.clone(try directories.openLayer(record.name), into: root)
                try ImpliedDirectories.apply(fixes, to: root)
            }
            return try await catalog.addLayer(
                temporary: name, diffID: record.diffID, chainID: layer.chainID, usage: record.usage, implied: [],
                isRootOpaque: record.isRootOpaque)
        }
        guard let made = pins.take(diffID: record.diffID, chainID: layer.chainID), made.chainID != nil else {
            throw ImageStoreError.removedMeanwhile("pull image: its layers were removed while it was being pulled")
        }
        return made
    }
}

extension StoreDirectories {
    /// A layer's directory.
    func openLayer(_ name: String) throws(ImageStoreError) -> SharedFD {
        do throws(Errno) {
            return SharedFD(try layers.fd.open(Path(name), [.readOnly, .directory, .noFollow]))
        } catch {
            throw ImageStoreError("open layer", "\(path)/layers/\(name)", error)
        }
    }
}
