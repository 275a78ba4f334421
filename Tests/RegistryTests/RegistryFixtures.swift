import Foundation
import Model
import NIOHTTP1
import NIOPosix
import OCI

@testable import Registry

/// A directory that is gone when the test ends.
struct Scratch: ~Copyable {
    let path: String

    init() throws {
        path = "\(FileManager.default.temporaryDirectory.path)/registry-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: path) } catch { print("cannot remove \(path): \(error)") }
    }

    func write(_ text: String, to name: String) throws {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }
}

func digest(_ bytes: [UInt8]) -> Model.Digest { Model.Digest.of(bytes, .sha256) }

/// A manifest with one layer, and its blobs.
struct SampleImage {
    let config = Array(#"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]}}"#.utf8)
    let layer: [UInt8]
    let manifest: [UInt8]

    init(layerSize: Int = 200_000, seed: UInt8 = 1) {
        var value = UInt32(seed)
        layer = (0..<layerSize).map { _ in
            value = value &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: value >> 24)
        }
        manifest = Array(
            """
            {"schemaVersion":2,"mediaType":"\(ImageMediaType.ociManifest)",\
            "config":{"mediaType":"\(ImageMediaType.ociConfig)","digest":"\(digest(config))","size":\(config.count)},\
            "layers":[{"mediaType":"\(ImageMediaType.ociLayer)","digest":"\(digest(layer))","size":\(layer.count)}]}
            """.utf8)
    }

    var layerDescriptor: ImageDescriptor {
        ImageDescriptor(mediaType: ImageMediaType.ociLayer, digest: digest(layer), size: Int64(layer.count))
    }
    var manifestDescriptor: ImageDescriptor {
        ImageDescriptor(mediaType: ImageMediaType.ociManifest, digest: digest(manifest), size: Int64(manifest.count))
    }

    /// What a registry answers that has this image under any tag in any repository.
    func reply(to asked: FaultServer.Asked) -> FaultServer.Reply {
        switch asked.path {
        case let path where path.contains("/manifests/"):
            return .body(
                manifest,
                ["content-type": ImageMediaType.ociManifest, "docker-content-digest": digest(manifest).description])
        case let path where path.hasSuffix("/blobs/\(digest(layer))"): return Self.range(of: layer, asked)
        case let path where path.hasSuffix("/blobs/\(digest(config))"): return Self.range(of: config, asked)
        default: return .status(.notFound)
        }
    }

    static func range(of bytes: [UInt8], _ asked: FaultServer.Asked) -> FaultServer.Reply {
        guard let range = asked.headers.first(name: "range"),
            let start = Int(range.dropFirst("bytes=".count).dropLast())
        else {
            return .body(bytes)
        }
        return FaultServer.Reply(
            status: .partialContent, headers: ["content-range": "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"],
            body: Array(bytes[start...]))
    }
}

/// Runs `body` with a client that does not wait between retries, and shuts it down.
func withClient<T>(
    hosts: String? = nil, noProgress: Duration = .seconds(20), _ body: (RegistryClient) async throws -> T
) async throws -> T {
    var configuration = RegistryConfiguration()
    configuration.hostsDirectories = hosts.map { [$0] } ?? []
    configuration.backoff = { _ in .zero }
    configuration.noProgressTimeout = noProgress
    let client = RegistryClient(configuration: configuration, eventLoops: MultiThreadedEventLoopGroup.singleton)
    do {
        let value = try await body(client)
        try await client.shutdown()
        return value
    } catch {
        try await client.shutdown()
        throw error
    }
}

/// Runs `body` with a server, and stops it.
func withServer<T>(_ script: @escaping FaultServer.Script, _ body: (FaultServer) async throws -> T) async throws -> T {
    let server = try await FaultServer.start(script)
    do {
        let value = try await body(server)
        try await server.stop()
        return value
    } catch {
        try await server.stop()
        throw error
    }
}

/// The whole of a blob.
func collect(_ session: RegistrySession, _ blob: ImageDescriptor) async throws -> [UInt8] {
    let bytes = Collector()
    try await session.blob(blob) { await bytes.append($0) }
    return await bytes.bytes
}

actor Collector {
    var bytes: [UInt8] = []
    func append(_ more: ArraySlice<UInt8>) { bytes += more }
}
