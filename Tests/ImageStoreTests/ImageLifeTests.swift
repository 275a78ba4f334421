import Foundation
import Linux
import Model
import OCI
import Testing

@testable import ImageStore

private func file(_ name: String, _ content: String = "x") -> [UInt8] {
    TarBuilder.archive { $0.add(name, content: content) }
}

@Suite(.timeLimit(.minutes(10))) struct ImageLifeTests {
    private func layers(_ store: ImageStore) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: store.layersPath).filter { $0 != ImageStore.emptyLayer }
            .sorted()
    }

    @Test func `removing by one tag removes the image with all its names and frees all it had`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let before = store.usage()
        let image = FakeImage([file("a"), file("b")])
        for name in ["r.example/app:v1", "r.example/app:v2", "other.example/app:v1"] {
            _ = try await store.pull(try reference(name), from: FakeSource(image))
        }
        #expect(try store.status(image.id.description)?.repoTags.count == 3)
        try await store.remove("r.example/app:v2")
        #expect(try store.list().isEmpty)
        #expect(try store.status("other.example/app:v1") == nil)
        #expect(store.usage() == before)
        #expect(try layers(store) == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(scratch.path)/store/blobs") == [])
        try await store.remove("r.example/app:v2")
        try await store.remove(image.id.description)
    }

    @Test func `two removals at once both succeed`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let image = FakeImage([file("a")])
        for _ in 0..<10 {
            _ = try await store.pull(try reference("r.example/app"), from: FakeSource(image))
            async let one: Void = store.remove("r.example/app")
            async let two: Void = store.remove(image.id.description)
            _ = try await (one, two)
            #expect(try layers(store) == [])
        }
    }

    @Test func `layers that two images share stay until both are gone`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let base = file("base")
        _ = try await store.pull(try reference("r.example/one"), from: FakeSource(FakeImage([base, file("one")])))
        let two = try await store.pull(
            try reference("r.example/two"), from: FakeSource(FakeImage([base, file("two")])))
        try await store.remove("r.example/one")
        #expect(try layers(store) == two.layers.sorted())
        try await store.remove("r.example/two")
        #expect(try layers(store) == [])
    }

    @Test func `layers of a container stay until it is released, across a restart too`() async throws {
        let scratch = try Scratch()
        let container = ContainerID.random()
        var kept: [String] = []
        do {
            let store = try await openStore(scratch)
            _ = try await store.pull(
                try reference("r.example/app"), from: FakeSource(FakeImage([file("a"), file("b")])))
            kept = try store.retain(image: "r.example/app", for: container).layers.sorted()
            try await store.remove("r.example/app")
            #expect(try store.list().isEmpty)
            #expect(try layers(store) == kept)
        }
        let store = try await openStore(scratch)
        store.retain(layers: kept, for: container)
        try await store.removeUnreferencedLayers()
        #expect(try layers(store) == kept)
        // The next pull takes up what is there.
        let source = FakeSource(FakeImage([file("a"), file("c")]))
        let image = try await store.pull(try reference("r.example/app"), from: source)
        #expect(kept.contains(image.layers[0]))
        try await store.remove("r.example/app")
        #expect(try layers(store) == kept)
        try await store.release(container)
        #expect(try layers(store) == [])
        try await store.release(container)
        #expect { _ = try store.retain(image: "r.example/app", for: container) } throws: {
            ($0 as? ImageStoreError)?.fault.code == .notFound
        }
    }

    @Test func `what was pulled is there after a restart, exactly`() async throws {
        let scratch = try Scratch()
        let before: [ImageRecord]
        let usage: ImageStoreUsage
        do {
            let store = try await openStore(scratch)
            _ = try await store.pull(
                try reference("r.example/a:1"), from: FakeSource(FakeImage([file("a")], defaults: #"{"User":"u"}"#)))
            _ = try await store.pull(
                try reference("r.example/b:1"), from: FakeSource(FakeImage([file("a"), file("b")])))
            before = try store.list()
            usage = store.usage()
        }
        let store = try await openStore(scratch)
        #expect(try store.list() == before)
        #expect(store.usage() == usage)
        #expect(store.problems.isEmpty)
    }

    /// What a daemon killed at this moment would leave: a copy of all that is on disk now.
    private func copy(_ scratch: Scratch, to name: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/cp")
        process.arguments = ["-a", "\(scratch.path)/store", "\(scratch.path)/\(name)"]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    @Test func `a daemon that dies anywhere in a pull leaves nothing that shows, and the next one tidies up`()
        async throws
    {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let image = FakeImage([
            file("one", String(repeating: "1", count: 40000)), file("two", String(repeating: "2", count: 40000)),
        ])
        let source = FakeSource(image, chunkBytes: 10000) { _, _ in
            try copy(scratch, to: "store-\(UUID().uuidString)")
        }
        _ = try await store.pull(try reference("r.example/app"), from: source)
        let leftovers = try FileManager.default.contentsOfDirectory(atPath: scratch.path).filter {
            $0.hasPrefix("store-")
        }
        #expect(leftovers.count >= 10)
        for name in leftovers {
            let restarted = try await openStore(scratch, name)
            #expect(try restarted.list().isEmpty)
            try await restarted.removeUnreferencedLayers()
            #expect(try tree("\(scratch.path)/\(name)").filter { !$0.hasSuffix(" dir") } == [])
            #expect(restarted.usage().usedBytes == 0)
        }
    }

    @Test func `damaged records are left out and reported, the rest works`() async throws {
        for damage in ["flip", "digit", "cut", "empty", "directory", "layer", "blob"] {
            let scratch = try Scratch()
            let (bad, good) = (FakeImage([file("a")]), FakeImage([file("b")]))
            let layer: String
            do {
                let store = try await openStore(scratch)
                layer = try await store.pull(try reference("r.example/bad"), from: FakeSource(bad)).layers[0]
                _ = try await store.pull(try reference("r.example/good"), from: FakeSource(good))
            }
            let record = "\(scratch.path)/store/images/sha256-\(bad.id.hex)"
            var bytes = try Data(contentsOf: URL(fileURLWithPath: record))
            switch damage {
            case "flip": bytes[bytes.count / 2] ^= 1
            case "digit":
                // What still reads as a record, but is not what was written.
                let digit = try #require(bytes.range(of: Data("\"pulledAt\":".utf8))).upperBound
                bytes[digit] = bytes[digit] == 0x31 ? 0x32 : 0x31
            case "cut": bytes = bytes.prefix(bytes.count - 1)
            case "empty": bytes = Data()
            default: break
            }
            try bytes.write(to: URL(fileURLWithPath: record))
            if damage == "directory" {
                try FileManager.default.removeItem(atPath: record)
                try FileManager.default.createDirectory(atPath: record, withIntermediateDirectories: false)
            }
            if damage == "layer" { try FileManager.default.removeItem(atPath: "\(scratch.path)/store/layers/\(layer)") }
            if damage == "blob" {
                try FileManager.default.removeItem(atPath: "\(scratch.path)/store/blobs/sha256-\(bad.id.hex)")
            }
            let store = try await openStore(scratch)
            #expect(try store.list().map(\.id) == [good.id])
            #expect(!store.problems.isEmpty)
            _ = try await store.pull(try reference("r.example/bad"), from: FakeSource(bad))
            #expect(try store.list().count == 2)
        }
    }

    @Test func `of two records that claim one tag the younger has it`() async throws {
        let scratch = try Scratch()
        let (old, new) = (FakeImage([file("a")]), FakeImage([file("b")]))
        do {
            let store = try await openStore(scratch)
            _ = try await store.pull(try reference("r.example/app"), from: FakeSource(old))
            try FileManager.default.copyItem(
                atPath: "\(scratch.path)/store/images/sha256-\(old.id.hex)", toPath: "\(scratch.path)/store-record")
            _ = try await store.pull(try reference("r.example/app"), from: FakeSource(new))
        }
        // As if the daemon had died between the two writes.
        let record = "\(scratch.path)/store/images/sha256-\(old.id.hex)"
        try FileManager.default.removeItem(atPath: record)
        try FileManager.default.moveItem(atPath: "\(scratch.path)/store-record", toPath: record)
        for _ in 0..<2 {
            let store = try await openStore(scratch)
            #expect(try store.status("r.example/app")?.id == new.id)
            #expect(try store.status(old.id.description)?.repoTags == [])
        }
    }

    @Test func `nobody but root can look into the store`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        _ = try await store.pull(
            try reference("r.example/app"),
            from: FakeSource(FakeImage([TarBuilder.archive { $0.add("su", mode: 0o4755, content: "x") }])))
        let root = try OwnedFD.open(Path("\(scratch.path)/store"), [.readOnly, .directory])
        #expect(try root.status().mode == 0o700)
        for entry in try root.entries(max: 100) { #expect(try root.status(Path(entry.name)).mode & 0o077 == 0) }
    }

    @Test func `a full disk is reported with its path and gives its space back`() async throws {
        let scratch = try Scratch()
        try FileManager.default.createDirectory(atPath: "\(scratch.path)/store", withIntermediateDirectories: false)
        try MountTable.mount(type: "tmpfs", at: Path("\(scratch.path)/store"), flags: [], data: "size=1m,mode=700")
        do {
            let store = try await openStore(scratch)
            _ = try await store.pull(try reference("r.example/small"), from: FakeSource(FakeImage([file("a")])))
            let large = FakeImage([file("ok"), file("large", String(repeating: "x", count: 3 << 20))])
            await #expect {
                _ = try await store.pull(try reference("r.example/large"), from: FakeSource(large))
            } throws: { error in
                (error as? ImageStoreError)?.fault.code == .resourceExhausted
            }
            #expect(try store.list().count == 1)
            #expect(try layers(store).count == 1)
            _ = try await store.pull(try reference("r.example/other"), from: FakeSource(FakeImage([file("b")])))
        }
        try MountTable.unmount(Path("\(scratch.path)/store"), detaching: true)
    }
}
