import Foundation
import ImageStore
import Model
import OCI
import Testing

@testable import Registry

/// What the composition root writes: a session as the source of a pull.
struct SessionSource: BlobSource {
    let session: RegistrySession

    func resolve() async throws -> ImageDescriptor { try await faulting { try await session.resolve() } }

    func manifest(_ descriptor: ImageDescriptor) async throws -> [UInt8] {
        try await faulting { try await session.manifest(descriptor) }
    }

    func blob(_ descriptor: ImageDescriptor, receive: @escaping @Sendable (ArraySlice<UInt8>) async throws -> Void)
        async throws
    {
        try await faulting { try await session.blob(descriptor, receive: receive) }
    }

    private func faulting<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch let error as RegistryError { throw error.fault }
    }
}

@Suite(.timeLimit(.minutes(10))) struct PullEndToEndTests {
    private func run(_ command: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-ec", command]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    private func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

    private func describe(_ bytes: [UInt8], _ type: String) -> String {
        #"{"mediaType":"\#(type)","digest":"\#(digest(bytes))","size":\#(bytes.count)}"#
    }

    /// Pushes an image of directories of this machine, one layer each, packed by tar and gzip; returns their size
    /// before packing.
    private func push(_ directories: [String], to registry: DebianRegistry, scratch: String) async throws -> Int {
        var layers: [String] = []
        var diffIDs: [String] = []
        var size = 0
        for (index, directory) in directories.enumerated() {
            let tar = "\(scratch)/\(index).tar"
            try run("tar -cf \(tar) -C / \(directory.dropFirst()) && gzip -1 -c \(tar) > \(tar).gz")
            let (plain, packed) = (try bytes(tar), try bytes("\(tar).gz"))
            size += plain.count
            diffIDs.append("\"\(digest(plain))\"")
            try await registry.push(packed, digest: digest(packed).description, to: "real")
            layers.append(describe(packed, ImageMediaType.dockerLayer + ".gzip"))
        }
        let ids = diffIDs.joined(separator: ",")
        let config = Array(
            #"""
            {"os":"linux","architecture":"amd64","config":{"Cmd":["sh"]},
             "rootfs":{"type":"layers","diff_ids":[\#(ids)]}}
            """#.utf8)
        try await registry.push(config, digest: digest(config).description, to: "real")
        let manifest = Array(
            #"""
            {"schemaVersion":2,"mediaType":"\#(ImageMediaType.dockerManifest)",
             "config":\#(describe(config, ImageMediaType.dockerConfig)),"layers":[\#(layers.joined(separator: ","))]}
            """#.utf8)
        try await registry.push(manifest: manifest, type: ImageMediaType.dockerManifest, as: "v1", to: "real")
        return size
    }

    @Test func `an image of real directories arrives as it was, links, owners and modes`() async throws {
        let scratch = try Scratch()
        let registry = try await DebianRegistry.start()
        let directories = (ProcessInfo.processInfo.environment["PULL_DIRECTORIES"] ?? "/etc:/usr/sbin").split(
            separator: ":"
        ).map(String.init)
        let size = try await push(directories, to: registry, scratch: scratch.path)

        let store = try await ImageStore.open(ImageStoreConfiguration(path: "\(scratch.path)/store"))
        let clock = ContinuousClock()
        let image = try await withClient { client in
            let name = try ImageReference("\(registry.authority)/real:v1")
            let start = clock.now
            let image = try await store.pull(
                name, from: SessionSource(session: try client.session(for: name, credentials: nil)))
            print("pulled \(size) bytes in \(clock.now - start)")
            await #expect {
                let other = try ImageReference("\(registry.authority)/real:v2")
                _ = try await store.pull(
                    other, from: SessionSource(session: try client.session(for: other, credentials: nil)))
            } throws: { ($0 as? Fault)?.code == .notFound }
            return image
        }
        // Names, kinds, modes, owners, links and contents; the sizes of directories are the file system's own affair.
        try """
        kinds() { cd "$1" && find . -mindepth 1 -printf '%p %y %m %U:%G %l\\n' | sort; }
        sums() { cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum; }
        for what in kinds sums; do
            ($what "$1") > "$3/before"; ($what "$2") > "$3/after"; cmp "$3/before" "$3/after"
        done
        """.write(toFile: "\(scratch.path)/compare", atomically: true, encoding: .utf8)
        for (index, directory) in directories.enumerated() {
            let unpacked = "\(store.layersPath)/\(image.layers[index])\(directory)"
            try run("/bin/sh -e \(scratch.path)/compare \(directory) \(unpacked) \(scratch.path)")
        }
        try await store.remove(image.id.description)
        try registry.stop()
    }
}
