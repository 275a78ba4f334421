import Linux
import Model
import OCI

/// Reads a store's directories at start: what is whole counts, everything else is removed. Nothing else ever repairs.
struct StoreLoader {
    let directories: StoreDirectories
    private(set) var state = Catalog.State()
    /// What was found damaged and left out, for the log.
    private(set) var problems: [String] = []

    private static let entriesMax = 1_000_000

    init(_ directories: StoreDirectories) { self.directories = directories }

    mutating func load() throws {
        try directories.removeAllTemporary()
        try loadLayers()
        try loadImages()
        try settleTags()
        try removeUnknownBlobs()
    }

    private mutating func loadLayers() throws {
        let present = Set(try names(in: directories.layers))
        for name in try names(in: directories.records) {
            if name.hasSuffix(".implied") {
                if !present.contains(String(name.dropLast(".implied".count))) {
                    try remove(name, from: directories.records)
                }
                continue
            }
            guard let record = try RecordFile.read(LayerRecord.self, Path(name), in: directories.records),
                record.name == name,
                present.contains(name), UInt64(name) != nil, name != StoreDirectories.emptyLayer
            else {
                problems.append("layer record \"\(name)\" is damaged or has no layer")
                try remove(name, from: directories.records)
                continue
            }
            state.layers[name] = record
            state.layersByDiffID[record.diffID, default: []].insert(name)
        }
        for name in present where state.layers[name] == nil && name != StoreDirectories.emptyLayer {
            try remove(name, from: directories.layers)
        }
        state.nextLayer = (present.compactMap { UInt64($0) }.max() ?? 0) + 1
    }

    private mutating func loadImages() throws {
        for name in try names(in: directories.images) {
            do {
                guard let file = try RecordFile.read(ImageFile.self, Path(name), in: directories.images),
                    StoreDirectories.name(of: file.id).description == name,
                    file.layers.allSatisfy({ $0 == StoreDirectories.emptyLayer || state.layers[$0] != nil }),
                    !file.layers.isEmpty,
                    let manifest = try directories.read(file.manifest, bytesMax: ImageManifest.bytesMax),
                    let bytes = try directories.read(file.id, bytesMax: ImageConfig.bytesMax)
                else { throw ImageStoreError.corruptContent("it is damaged or not complete") }
                state.images[file.id] = file.record(with: try ImageConfig(decoding: bytes))
                state.blobs[file.id] = Int64(bytes.count)
                state.blobs[file.manifest] = Int64(manifest.count)
                state.generation = max(state.generation, file.generation)
            } catch {
                problems.append("image record \"\(name)\": \(error)")
                try remove(name, from: directories.images)
            }
        }
    }

    /// Of two images that claim a tag, the younger record has it: the older one was about to lose it.
    private mutating func settleTags() throws {
        var owner: [String: Digest] = [:]
        for image in state.images.values.sorted(by: { $0.generation < $1.generation }) {
            for tag in image.repoTags { owner[tag] = image.id }
        }
        for var image in state.images.values {
            let tags = image.repoTags.filter { owner[$0] == image.id }
            guard tags != image.repoTags else { continue }
            image.repoTags = tags
            try RecordFile.write(ImageFile(image), StoreDirectories.name(of: image.id), in: directories.images)
            state.images[image.id] = image
        }
    }

    private func removeUnknownBlobs() throws {
        let known = Set(state.blobs.keys.map { StoreDirectories.name(of: $0).description })
        for name in try names(in: directories.blobs) where !known.contains(name) {
            try remove(name, from: directories.blobs)
        }
    }

    private func names(in directory: SharedFD) throws -> [String] {
        do throws(Errno) {
            return try directory.fd.entries(max: Self.entriesMax).map { String(decoding: $0.name, as: UTF8.self) }
        } catch {
            throw ImageStoreError("list", directories.path, error)
        }
    }

    private func remove(_ name: String, from directory: SharedFD) throws {
        do throws(Errno) { try directory.fd.removeTree(Path(name)) } catch {
            throw ImageStoreError("remove \"\(name)\" from", directories.path, error)
        }
    }
}
