import Foundation
import Linux
import Model
import OCI
import Synchronization

@testable import ImageStore

/// A directory for one test, gone when it ends. Beside it lies what no test may touch.
final class Scratch: Sendable {
    let path: String
    let canary: String
    private let before: [String]

    init() throws {
        path = "/tmp/images-test-\(UUID().uuidString)"
        canary = "\(path)/canary"
        for directory in [path, canary, "\(canary)/dir"] {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
        for file in ["f", "shadow", "dir/g"] {
            try "precious".write(toFile: "\(canary)/\(file)", atomically: false, encoding: .utf8)
        }
        before = try Self.snapshot(canary)
    }

    deinit {
        do {
            let top = try OwnedFD.open("/tmp", [.path, .directory])
            try top.removeTree(Path(String(path.dropFirst("/tmp/".count))))
        } catch {
            print("cannot remove \(path): \(error)")
        }
    }

    /// Whether nothing outside of the stores was changed.
    var isCanaryUntouched: Bool {
        get throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
            return try Self.snapshot(canary) == before
                && names.allSatisfy { $0 == "canary" || $0.hasPrefix("layer") || $0.hasPrefix("store") }
        }
    }

    func directory(_ name: String) throws -> SharedFD {
        let directory = "\(path)/\(name)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        return SharedFD(try OwnedFD.open(Path(directory), [.readOnly, .directory]))
    }

    private static func snapshot(_ directory: String) throws -> [String] { try tree(directory, withTimes: true) }
}

/// Every file below a directory: kind, mode, owner, link target, device, content, opaque mark; sorted by path.
func tree(_ directory: String, withTimes: Bool = false) throws -> [String] {
    try tree(try OwnedFD.open(Path(directory), [.readOnly, .directory]), withTimes: withTimes)
}

func tree(_ root: borrowing OwnedFD, withTimes: Bool = false) throws -> [String] {
    var lines: [String] = []
    func walk(_ fd: borrowing OwnedFD, _ prefix: String) throws {
        for entry in try fd.entries(max: 100_000).sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            let name = Path(entry.name)
            let status = try fd.status(name)
            let path = prefix + String(decoding: entry.name, as: UTF8.self)
            var line = "\(path) \(String(status.mode, radix: 8)) \(status.uid):\(status.gid)"
            if withTimes {
                line += " @\(status.modifiedSeconds).\(status.modifiedNanoseconds) #\(status.inode) \(status.links)"
            }
            switch status.kind {
            case .directory:
                let child = try fd.open(name, [.readOnly, .directory, .noFollow])
                if try child.attribute("trusted.overlay.opaque") != nil { line += " opaque" }
                lines.append(line + " dir")
                try walk(child, path + "/")
            case .regular:
                let file = try fd.open(name, [.readOnly, .noFollow])
                let content = try file.readToEnd(max: 64 << 20)
                let shown = content.count < 64 ? String(decoding: content, as: UTF8.self) : "\(content.count) bytes"
                lines.append(line + " file \(shown)")
            case .symlink: lines.append(line + " -> \(String(decoding: try fd.readSymlink(name), as: UTF8.self))")
            case .characterDevice, .blockDevice: lines.append(line + " device \(status.major):\(status.minor)")
            default: lines.append(line + " \(status.kind)")
            }
        }
    }
    try walk(root, "")
    return lines
}

/// Unpacks one archive into a new directory of `scratch` as a pull would, `step` bytes at a time.
@discardableResult
func unpack(
    _ archive: [UInt8], in scratch: Scratch, name: String = "layer", compression: LayerCompression = .none,
    step: Int = 65536,
    limits: ImageLimits = ImageLimits(), blob: [UInt8]? = nil
) throws -> LayerUnpack.Result {
    let bytes = blob ?? (compression == .gzip ? StoredGzip.compress(archive) : archive)
    let layer = ImageDescriptor(
        mediaType: ImageMediaType.ociLayer, digest: ContentHash.of(bytes), size: Int64(bytes.count))
    let unpack = try LayerUnpack(
        layer, compression: compression, diffID: ContentHash.of(archive), root: try scratch.directory(name),
        budget: UnpackBudget(limits: limits))
    var start = 0
    while start < bytes.count {
        try unpack.consume(bytes[start..<min(start + step, bytes.count)])
        start += step
    }
    return try unpack.finish()
}

/// An image made of archives, with the documents that describe it; every part can be spoiled.
struct FakeImage: Sendable {
    var layers: [(descriptor: ImageDescriptor, bytes: [UInt8])]
    var config: [UInt8]
    var manifest: [UInt8]
    var manifestType = ImageMediaType.ociManifest
    /// An index in front of the manifest, and what is behind its other entries.
    var documents: [Digest: [UInt8]] = [:]
    var target: ImageDescriptor

    init(
        _ archives: [[UInt8]], gzip: Bool = true, defaults: String = "{}", diffIDs: [Digest]? = nil,
        platform: ImagePlatform = .host, changeConfig: (String) -> String = { $0 },
        changeManifest: (String) -> String = { $0 }
    ) {
        layers = archives.map { archive in
            let bytes = gzip ? StoredGzip.compress(archive) : archive
            let type = gzip ? ImageMediaType.ociLayer + "+gzip" : ImageMediaType.ociLayer
            return (ImageDescriptor(mediaType: type, digest: ContentHash.of(bytes), size: Int64(bytes.count)), bytes)
        }
        let ids = (diffIDs ?? archives.map { ContentHash.of($0) }).map { "\"\($0)\"" }.joined(separator: ",")
        config = Array(
            changeConfig(
                """
                {"os":"\(platform.os)","architecture":"\(platform.architecture)","config":\(defaults),\
                "rootfs":{"type":"layers","diff_ids":[\(ids)]}}
                """
            ).utf8)
        func json(_ descriptor: ImageDescriptor) -> String {
            #"{"mediaType":"\#(descriptor.mediaType)","digest":"\#(descriptor.digest)","size":\#(descriptor.size)}"#
        }
        let configDescriptor = ImageDescriptor(
            mediaType: ImageMediaType.ociConfig, digest: ContentHash.of(config), size: Int64(config.count))
        let list = layers.map { json($0.descriptor) }.joined(separator: ",")
        manifest = Array(
            changeManifest(#"{"schemaVersion":2,"config":\#(json(configDescriptor)),"layers":[\#(list)]}"#).utf8)
        target = ImageDescriptor(mediaType: manifestType, digest: ContentHash.of(manifest), size: Int64(manifest.count))
        documents[target.digest] = manifest
    }

    var id: Digest { ContentHash.of(config) }
}

/// Serves images and counts what it is asked for.
final class FakeSource: BlobSource {
    typealias Chunk = @Sendable (_ blob: Digest, _ index: Int) async throws -> Void

    private let image: FakeImage
    private let blobs: [Digest: [UInt8]]
    private let asked = Mutex<[Digest: Int]>([:])
    private let resolves = Mutex(0)
    private let chunkBytes: Int
    /// Called before each piece of a blob.
    private let beforeChunk: Chunk

    init(
        _ image: FakeImage, blobs: [Digest: [UInt8]] = [:], chunkBytes: Int = 16384,
        beforeChunk: @escaping Chunk = { _, _ in }
    ) {
        self.image = image
        var all = blobs
        for layer in image.layers where all[layer.descriptor.digest] == nil {
            all[layer.descriptor.digest] = layer.bytes
        }
        if all[image.id] == nil { all[image.id] = image.config }
        self.blobs = all
        self.chunkBytes = chunkBytes
        self.beforeChunk = beforeChunk
    }

    func count(_ digest: Digest) -> Int { asked.withLock { $0[digest] ?? 0 } }
    var resolveCount: Int { resolves.withLock { $0 } }

    func resolve() async throws -> ImageDescriptor {
        resolves.withLock { $0 += 1 }
        return image.target
    }

    func manifest(_ descriptor: ImageDescriptor) async throws -> [UInt8] {
        asked.withLock { $0[descriptor.digest, default: 0] += 1 }
        guard let bytes = image.documents[descriptor.digest] else { throw Fault.notFound("no manifest") }
        return bytes
    }

    func blob(_ descriptor: ImageDescriptor, receive: @escaping @Sendable (ArraySlice<UInt8>) async throws -> Void)
        async throws
    {
        asked.withLock { $0[descriptor.digest, default: 0] += 1 }
        guard let bytes = blobs[descriptor.digest] else { throw Fault.notFound("no blob") }
        var start = 0
        var index = 0
        while start < bytes.count {
            try await beforeChunk(descriptor.digest, index)
            try await receive(bytes[start..<min(start + chunkBytes, bytes.count)])
            start += chunkBytes
            index += 1
        }
    }
}

/// A gate that opens once, for all.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        var arrivals = 0
    }
    private let state = Mutex(State())
    private let arrived = AsyncStream.makeStream(of: Void.self)

    /// Waits until the gate is open. A cancelled waiter passes.
    func pass() async throws {
        arrived.continuation.yield()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let passes = state.withLock { state in
                    if state.isOpen || Task.isCancelled { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if passes { continuation.resume() }
            }
        } onCancel: {
            open()
        }
        try Task.checkCancellation()
    }

    /// Waits until somebody waits at the gate.
    func untilReached() async { for await _ in arrived.stream { return } }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}

func reference(_ text: String) throws -> ImageReference { try ImageReference(text) }

func openStore(_ scratch: Scratch, _ name: String = "store", change: (inout ImageStoreConfiguration) -> Void = { _ in })
    async throws -> ImageStore
{
    var configuration = ImageStoreConfiguration(path: "\(scratch.path)/\(name)")
    change(&configuration)
    return try await ImageStore.open(configuration)
}
