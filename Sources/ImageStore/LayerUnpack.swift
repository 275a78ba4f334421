import Linux
import Model
import OCI
import Synchronization

/// The one pass over a layer's bytes:
///
///     blob --> hash (digest) --> inflate --> hash (diff id) --> untar --> directory
///
/// Nothing is believed before the end: `finish` throws if a hash, a size or a format is wrong, and the directory is
/// only then of use. Calls come one after the other, each on any thread that may block.
final class LayerUnpack: Sendable {
    /// What came out of a layer that was verified.
    struct Result: Sendable {
        var usage: LayerUsage
        var implied: [LayerPath]
        var isRootOpaque: Bool
    }

    private struct State: ~Copyable {
        var inflater: GzipInflater?
        var blob: ContentHash
        var content: ContentHash
        var blobBytes: Int64 = 0
        var contentBytes: Int64 = 0
        var reader = TarReader()
        var writer: LayerWriter
    }

    private let layer: ImageDescriptor
    private let diffID: Digest
    private let budget: UnpackBudget
    private let state: Mutex<State>

    /// - Parameter root: an empty directory, opened for reading.
    init(
        _ layer: ImageDescriptor, compression: LayerCompression, diffID: Digest, root: SharedFD, budget: UnpackBudget
    ) throws(ImageStoreError) {
        self.layer = layer
        self.diffID = diffID
        self.budget = budget
        let inflater: GzipInflater?
        switch compression {
        case .none: inflater = nil
        case .gzip: inflater = GzipInflater()
        case .zstd: throw .unimplemented("unpack layer: zstd compression is not supported")
        }
        state = Mutex(
            State(
                inflater: inflater, blob: ContentHash(layer.digest.algorithm), content: ContentHash(diffID.algorithm),
                writer: LayerWriter(root: root, budget: budget)))
    }

    /// Takes the next bytes of the blob.
    func consume(_ bytes: ArraySlice<UInt8>) throws(ImageStoreError) {
        try state.withLock { state throws(ImageStoreError) in
            state.blobBytes += Int64(bytes.count)
            guard state.blobBytes <= layer.size else { throw sizeIsWrong() }
            state.blob.update(bytes)
            guard state.inflater != nil else { return try unpack(bytes, &state) }
            // Taken out for the call, so that the rest of the state can be changed meanwhile.
            var inflater = state.inflater.take()
            try inflater?.inflate(bytes) { output throws(ImageStoreError) in try unpack(output, &state) }
            state.inflater = inflater.take()
        }
    }

    /// Verifies everything.
    func finish() throws(ImageStoreError) -> Result {
        try state.withLock { state throws(ImageStoreError) in
            guard state.blobBytes == layer.size else { throw sizeIsWrong() }
            guard state.blob.finish() == layer.digest else {
                throw .corruptContent("verify layer \(layer.digest): its content has another digest")
            }
            try state.inflater?.finish()
            guard state.content.finish() == diffID else {
                throw .corruptContent(
                    "verify layer \(layer.digest): its uncompressed content is not \(diffID), as the image says")
            }
            try state.reader.finish()
            try state.writer.finish()
            return Result(
                usage: state.writer.usage, implied: Array(state.writer.implied), isRootOpaque: state.writer.isRootOpaque
            )
        }
    }

    private func unpack(_ bytes: ArraySlice<UInt8>, _ state: inout State) throws(ImageStoreError) {
        state.contentBytes += Int64(bytes.count)
        try budget.addBytes(bytes.count)
        let limits = budget.limits
        if state.contentBytes > limits.ratioFreeBytes, state.contentBytes / limits.ratioMax > layer.size {
            throw .limitExceeded(
                "unpack layer \(layer.digest): it grows to more than \(limits.ratioMax) times its size")
        }
        state.content.update(bytes)
        try state.reader.consume(bytes, into: &state.writer)
    }

    private func sizeIsWrong() -> ImageStoreError {
        .corruptContent("verify layer \(layer.digest): it does not have the \(layer.size) bytes that its manifest says")
    }
}
