import Linux
import Model
import OCI
import Synchronization

/// One pull from the moment that the digest is known: documents, layers side by side, and the record that makes them an
/// image.
struct ImagePull: Sendable {
    let reference: ImageReference
    let target: ImageDescriptor
    let source: any BlobSource
    let catalog: Catalog
    let layerWork: SharedWork<LayerKey, Void>
    let pool: BlockingPool
    let platform: ImagePlatform
    let budget: UnpackBudget
    let board: PullBoard
    let meter: PullMeter
    let now: @Sendable () -> Int64

    /// What makes two layer downloads the same. The repository is part of it: a registry that serves rubbish for a
    /// layer spoils it for its own images only.
    struct LayerKey: Hashable, Sendable {
        var repository: String
        var blob: Digest
        var diffID: Digest
    }

    private static let layersAtOnce = 3
    private static let indexDepthMax = 3

    /// Returns the image's id; the image is complete and on disk then, and was nowhere before.
    func run() async throws -> Digest {
        let (manifest, digest, manifestBytes) = try await findManifest()
        let (config, configBytes) = try await fetchConfig(manifest)
        var layers = try plan(manifest, config)

        // Another image may be waiting for the same layer: then one meter counts for both.
        let keys = layers.map(key(of:))
        for index in layers.indices { layers[index].meter = board.share(layers[index].meter, for: keys[index]) }
        defer { board.giveBack(keys) }
        meter.layers = layers.map(\.meter)

        let pins = Pins(catalog)
        do {
            let fetched = try await fetch(layers, pins)
            let assembled = try await LayerAssembly(catalog: catalog, pool: pool, pins: pins).assemble(fetched)
            let documents = [digest: manifestBytes, manifest.config.digest: configBytes]
            let size = assembled.bytes + documents.values.reduce(0) { $0 + Int64($1.count) }
            let record = ImageRecord(
                id: manifest.config.digest, repoTags: [], repoDigests: [reference.at(target.digest).canonical],
                layers: assembled.names,
                size: size, defaults: config.config ?? .init(), platform: config.platform, created: config.created,
                pulledAt: now(),
                targets: [target.digest], manifest: digest, generation: 0)
            try await catalog.addImage(record, documents: documents)
            pins.release()
            return record.id
        } catch {
            // Layers that were complete before it failed are of no use without the image.
            pins.release()
            do { try await catalog.removeUnreferencedLayers() } catch let second { _ = second }
            throw error
        }
    }

    // MARK: Documents

    /// Follows indexes to the manifest for this platform.
    private func findManifest() async throws -> (ImageManifest, Digest, [UInt8]) {
        var descriptor = target
        for _ in 0...Self.indexDepthMax {
            let bytes = try await source.manifest(descriptor)
            guard ContentHash.of(bytes, descriptor.digest.algorithm) == descriptor.digest else {
                throw ImageStoreError.corruptContent("verify manifest \(descriptor.digest): it has another digest")
            }
            let type = descriptor.mediaType.isEmpty ? nil : descriptor.mediaType
            switch try Self.format({ () throws(ImageFormatError) in try ImageDocument(decoding: bytes, mediaType: type)
            })
            {
            case .manifest(let manifest): return (manifest, descriptor.digest, bytes)
            case .index(let index):
                guard let best = index.best(for: platform) else {
                    throw ImageStoreError.noMatchingPlatform(
                        "pull image \"\(reference)\": it has no manifest for \(platform)")
                }
                descriptor = best
            }
        }
        throw ImageStoreError.invalidImage(
            "pull image \"\(reference)\": its indexes are nested deeper than \(Self.indexDepthMax)")
    }

    private func fetchConfig(_ manifest: ImageManifest) async throws -> (ImageConfig, [UInt8]) {
        let descriptor = manifest.config
        guard ImageMediaType.isConfig(descriptor.mediaType) else {
            throw ImageStoreError.invalidImage(
                "pull image \"\(reference)\": it is no container image but \"\(descriptor.mediaType.prefix(128))\"")
        }
        guard descriptor.size <= Int64(ImageConfig.bytesMax) else {
            throw ImageStoreError.limitExceeded(
                "pull image \"\(reference)\": its configuration is larger than \(ImageConfig.bytesMax) bytes")
        }
        let buffer = DocumentBuffer(bytesMax: Int(descriptor.size))
        try await source.blob(descriptor) { try await buffer.append($0) }
        let bytes = await buffer.bytes
        guard bytes.count == Int(descriptor.size),
            ContentHash.of(bytes, descriptor.digest.algorithm) == descriptor.digest
        else {
            throw ImageStoreError.corruptContent(
                "verify configuration \(descriptor.digest): it has another digest or size")
        }
        return (try Self.format { () throws(ImageFormatError) in try ImageConfig(decoding: bytes) }, bytes)
    }

    /// Everything about the layers that can be refused before the first byte of them is fetched.
    private func plan(_ manifest: ImageManifest, _ config: ImageConfig) throws(ImageStoreError) -> [LayerPlan] {
        func invalid(_ what: String) -> ImageStoreError { .invalidImage("pull image \"\(reference)\": \(what)") }
        guard manifest.layers.count <= ImageLimits.layersMax else {
            throw .limitExceeded(
                "pull image \"\(reference)\": it has \(manifest.layers.count) layers, "
                    + "and at most \(ImageLimits.layersMax) can be used"
            )
        }
        let diffIDs = config.rootfs.diffIDs
        guard manifest.layers.count == diffIDs.count else {
            throw invalid("its manifest has \(manifest.layers.count) layers and its configuration \(diffIDs.count)")
        }
        guard platform.preference(for: config.platform) != nil else {
            throw .noMatchingPlatform("pull image \"\(reference)\": it is for \(config.platform), not for \(platform)")
        }
        if let defaults = config.config, defaults.bytes > budget.limits.defaultsBytesMax {
            throw .limitExceeded(
                "pull image \"\(reference)\": its environment, labels and command "
                    + "have more than \(budget.limits.defaultsBytesMax) bytes"
            )
        }
        var plans: [LayerPlan] = []
        var chainID: Digest?
        for (layer, diffID) in zip(manifest.layers, diffIDs) {
            let compression = try Self.format { () throws(ImageFormatError) in
                try LayerCompression(mediaType: layer.mediaType)
            }
            if compression == .zstd {
                throw .unimplemented("pull image \"\(reference)\": zstd compression is not supported")
            }
            guard layer.size <= budget.limits.bytesMax else {
                throw .limitExceeded(
                    "pull image \"\(reference)\": a layer is larger than \(budget.limits.bytesMax) bytes")
            }
            let chain = chainID.map { ContentHash.of(Array("\($0) \(diffID)".utf8)) } ?? diffID
            chainID = chain
            plans.append(
                LayerPlan(
                    layer: layer, compression: compression, diffID: diffID, chainID: chain,
                    meter: LayerMeter(digest: layer.digest, bytesTotal: layer.size)))
        }
        return plans
    }

    private static func format<T>(_ body: () throws(ImageFormatError) -> T) throws(ImageStoreError) -> T {
        do throws(ImageFormatError) { return try body() } catch { throw ImageStoreError(error) }
    }

    // MARK: Layers

    /// Pins all layers, fetching what is missing, three at a time and in no particular order.
    private func fetch(_ plans: [LayerPlan], _ pins: Pins) async throws -> [LayerAssembly.Layer] {
        try await withThrowingTaskGroup(of: (Int, LayerRecord).self) { group in
            var found: [Int: LayerRecord] = [:]
            var next = 0
            while found.count < plans.count {
                while next < plans.count, next - found.count < Self.layersAtOnce {
                    let index = next
                    group.addTask { (index, try await obtain(plans[index], pins)) }
                    next += 1
                }
                guard let (index, record) = try await group.next() else { break }
                found[index] = record
            }
            return plans.enumerated().compactMap { index, plan in
                found[index].map { LayerAssembly.Layer(record: $0, chainID: plan.chainID) }
            }
        }
    }

    private func key(of plan: LayerPlan) -> LayerKey {
        LayerKey(repository: reference.repository, blob: plan.layer.digest, diffID: plan.diffID)
    }

    private func obtain(_ plan: LayerPlan, _ pins: Pins) async throws -> LayerRecord {
        let key = key(of: plan)
        // A pull that fails may remove a layer that was made a moment ago, before this one has its pin on it.
        for _ in 0..<3 {
            if let record = pins.take(diffID: plan.diffID, chainID: plan.chainID) {
                plan.meter.found()
                return record
            }
            try await layerWork.run(key) { try await unpack(plan) }
        }
        throw ImageStoreError.removedMeanwhile(
            "pull image \"\(reference)\": its layers were removed while it was being pulled")
    }

    private func unpack(_ plan: LayerPlan) async throws {
        try await catalog.directories.withTemporaryDirectory(on: pool) { name, root in
            let unpack = try LayerUnpack(
                plan.layer, compression: plan.compression, diffID: plan.diffID, root: root, budget: budget)
            let receiver = LayerReceiver(unpack: unpack, pool: pool)
            let meter = plan.meter
            meter.begin()
            do {
                try await source.blob(plan.layer) { bytes in
                    meter.add(bytes.count)
                    board.received.add(bytes.count)
                    try await receiver.receive(bytes)
                }
            } catch {
                // Nobody may write to the directory any more when it is removed.
                await receiver.settle()
                throw error
            }
            meter.set(.unpacking)
            let result = try await receiver.finish()
            let added = try await catalog.addLayer(
                temporary: name, diffID: plan.diffID, chainID: nil, usage: result.usage, implied: result.implied,
                isRootOpaque: result.isRootOpaque)
            meter.set(.done)
            return added
        }
    }
}

/// A layer that an image wants.
struct LayerPlan: Sendable {
    var layer: ImageDescriptor
    var compression: LayerCompression
    var diffID: Digest
    var chainID: Digest
    var meter: LayerMeter
}

/// The layers that one pull keeps from being removed.
final class Pins: Sendable {
    private let catalog: Catalog
    private let names = Mutex<[String]>([])

    init(_ catalog: Catalog) { self.catalog = catalog }

    func take(diffID: Digest, chainID: Digest) -> LayerRecord? {
        guard let record = catalog.pinLayer(diffID: diffID, chainID: chainID) else { return nil }
        names.withLock { $0.append(record.name) }
        return record
    }

    func release() {
        catalog.unpin(
            names.withLock { names in
                defer { names = [] }
                return names
            })
    }
}

/// A small blob in memory.
actor DocumentBuffer {
    private(set) var bytes: [UInt8] = []
    private let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    func append(_ more: ArraySlice<UInt8>) throws {
        guard bytes.count + more.count <= bytesMax else {
            throw ImageStoreError.corruptContent("fetch document: it is larger than its manifest says")
        }
        bytes += more
    }
}

extension ImageConfig.Defaults {
    /// Roughly what these take in memory.
    fileprivate var bytes: Int {
        let lists = [environment ?? [], entrypoint ?? [], command ?? [], Array((volumes ?? [:]).keys)]
        let texts = [user, workingDirectory, stopSignal].compactMap { $0 }
        return lists.joined().reduce(0) { $0 + $1.utf8.count + 32 } + texts.reduce(0) { $0 + $1.utf8.count }
            + (labels ?? [:]).reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 64 }
    }
}
