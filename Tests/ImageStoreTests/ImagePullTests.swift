import Foundation
import Linux
import Model
import OCI
import Testing

@testable import ImageStore

private func file(_ name: String, _ content: String = "x") -> [UInt8] {
    TarBuilder.archive { $0.add(name, content: content) }
}

@Suite(.timeLimit(.minutes(10))) struct ImagePullTests {
    private let defaults =
        #"{"User":"1000:5","Env":["A=b","BAD","=c","D="],"Cmd":["run"],"#
        + #""Volumes":{"/data":{},"/../etc":{},"rel":{},"/":{}}}"#

    @Test func `an image is listed with all that the CRI wants to know`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch) { $0.pinned = ["registry.example/*:v1"] }
        let image = FakeImage([file("a", "lower"), file("b")], defaults: defaults)
        let pulled = try await store.pull(try reference("registry.example/app:v1"), from: FakeSource(image))
        #expect(pulled.id == image.id)
        #expect(pulled.repoTags == ["registry.example/app:v1"])
        #expect(pulled.repoDigests == ["registry.example/app@\(image.target.digest)"])
        #expect(pulled.layers == ["1", "2"] || pulled.layers == ["2", "1"])
        #expect(pulled.size >= 8192)
        #expect(pulled.isPinned)
        #expect(pulled.user == ImageUserName("1000:5"))
        let runtime = pulled.runtimeImage
        #expect(runtime.environment == ["A=b", "D="])
        #expect(runtime.volumes == ["/data"])
        #expect(runtime.command == ["run"])
        #expect(try tree("\(store.layersPath)/\(pulled.layers[0])") == ["a 644 0:0 file lower"])
        #expect(try store.list() == [pulled])
        let hex = image.id.hex
        for name in [
            "registry.example/app:v1", "registry.example/app@\(image.target.digest)", image.id.description, hex,
            String(hex.prefix(12)),
            "sha256:\(hex.prefix(5))",
        ] {
            #expect(try store.status(name) == pulled)
            #expect(try store.list(name) == [pulled])
        }
        for name in [
            "registry.example/app:v2", "registry.example/app", "sha256:" + String(repeating: "0", count: 64), "zz", "",
            "../x",
        ] {
            #expect(try store.status(name) == nil)
        }
        let usage = store.usage()
        #expect(usage.usedInodes >= 2)
        #expect(usage.usedBytes >= pulled.size)
    }

    @Test func `a pull by digest leaves no tag, and a tag that moves is taken from the old image`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let (one, two) = (FakeImage([file("a")]), FakeImage([file("b")]))
        let byDigest = try await store.pull(try reference("r.example/app@\(one.target.digest)"), from: FakeSource(one))
        #expect(byDigest.repoTags == [])
        #expect(byDigest.repoDigests.count == 1)
        _ = try await store.pull(try reference("r.example/app:v1"), from: FakeSource(one))
        #expect(try store.status(one.id.description)?.repoTags == ["r.example/app:v1"])
        _ = try await store.pull(try reference("r.example/app:v1"), from: FakeSource(two))
        #expect(try store.status(one.id.description)?.repoTags == [])
        #expect(try store.status("r.example/app:v1")?.id == two.id)
        #expect(try store.status("r.example/app@\(one.target.digest)")?.id == one.id)
        await #expect(throws: ImageStoreError.self) {
            try await store.pull(try reference("r.example/app@\(one.target.digest)"), from: FakeSource(two))
        }
    }

    @Test func `the source is asked each time, layers are fetched once`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let (shared, own) = (file("shared"), file("own"))
        let (one, two) = (FakeImage([shared, own]), FakeImage([shared, file("other")]))
        let (first, second) = (FakeSource(one), FakeSource(two))
        _ = try await store.pull(try reference("r.example/one"), from: first)
        _ = try await store.pull(try reference("r.example/one"), from: first)
        _ = try await store.pull(try reference("r.example/two"), from: second)
        #expect(first.resolveCount == 2)
        #expect(one.layers.map { first.count($0.descriptor.digest) } == [1, 1])
        #expect(two.layers.map { second.count($0.descriptor.digest) } == [0, 1])
        #expect(try store.status("r.example/one")?.layers[0] == (try store.status("r.example/two"))?.layers[0])
    }

    @Test func `a source that refuses is not helped by what is local`() async throws {
        struct Refusing: BlobSource {
            func resolve() async throws -> ImageDescriptor { throw Fault(.unauthenticated, "no") }
            func manifest(_ descriptor: ImageDescriptor) async throws -> [UInt8] { [] }
            func blob(_ d: ImageDescriptor, receive: @escaping @Sendable (ArraySlice<UInt8>) async throws -> Void)
                async throws
            {}
        }
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        _ = try await store.pull(try reference("r.example/app"), from: FakeSource(FakeImage([file("a")])))
        await #expect { _ = try await store.pull(try reference("r.example/app"), from: Refusing()) } throws: {
            ($0 as? Fault)?.code == .unauthenticated
        }
    }

    @Test func `20 pulls at once fetch everything once, and 19 may be cancelled`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let gate = Gate()
        let image = FakeImage([file("a"), file("b")])
        let source = FakeSource(image) { _, _ in try await gate.pass() }
        let name = try reference("r.example/app")
        let pulls = (0..<20).map { _ in Task { try await store.pull(name, from: source) } }
        while store.waiterCount(name, target: image.target.digest) < 20 { await Task.yield() }
        for pull in pulls.dropFirst() { pull.cancel() }
        for pull in pulls.dropFirst() { await #expect(throws: CancellationError.self) { try await pull.value } }
        #expect(try store.list().isEmpty)
        gate.open()
        #expect(try await pulls[0].value.id == image.id)
        #expect(image.layers.map { source.count($0.descriptor.digest) } == [1, 1])
        #expect(source.count(image.id) == 1)
        #expect(source.count(image.target.digest) == 1)
    }

    @Test func `when the last one is cancelled the pull stops and leaves nothing, and the next one works`() async throws
    {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let gate = Gate()
        let image = FakeImage([file("a")])
        let source = FakeSource(image) { digest, _ in if digest != image.id { try await gate.pass() } }
        let pull = Task { try await store.pull(try reference("r.example/app"), from: source) }
        await gate.untilReached()
        pull.cancel()
        await #expect(throws: CancellationError.self) { try await pull.value }
        _ = try await store.pull(try reference("r.example/app"), from: FakeSource(image))
        #expect(try store.list().count == 1)
        while try FileManager.default.contentsOfDirectory(atPath: "\(scratch.path)/store/tmp") != [] {
            await Task.yield()
        }
    }

    struct Spoiled: CustomTestStringConvertible {
        var name: String
        var code: Fault.Code
        var make: @Sendable () -> (FakeImage, [Digest: [UInt8]])
        var testDescription: String { name }

        init(_ name: String, _ code: Fault.Code, _ make: @escaping @Sendable () -> (FakeImage, [Digest: [UInt8]])) {
            self.name = name
            self.code = code
            self.make = make
        }
    }

    static let spoiled: [Spoiled] = [
        Spoiled("L11 layer digest", .dataLoss) {
            let image = FakeImage([file("a")])
            return (image, [image.layers[0].descriptor.digest: StoredGzip.compress(file("b"))])
        },
        Spoiled("L11 layer shorter", .dataLoss) {
            let image = FakeImage([file("a")])
            return (image, [image.layers[0].descriptor.digest: Array(image.layers[0].bytes.dropLast())])
        },
        Spoiled("L11 layer longer", .dataLoss) {
            let image = FakeImage([file("a")])
            return (image, [image.layers[0].descriptor.digest: image.layers[0].bytes + [0]])
        },
        Spoiled("L11 diff id", .dataLoss) { (FakeImage([file("a")], diffIDs: [ContentHash.of(file("b"))]), [:]) },
        Spoiled("L11 layer count", .invalidArgument) { (FakeImage([file("a")], diffIDs: []), [:]) },
        Spoiled("L11 configuration digest", .dataLoss) {
            let image = FakeImage([file("a")])
            return (image, [image.id: image.config.map { $0 == UInt8(ascii: "l") ? UInt8(ascii: "L") : $0 }])
        },
        Spoiled("L11 manifest digest", .dataLoss) {
            var image = FakeImage([file("a")])
            image.documents[image.target.digest] = image.manifest + [0x20]
            return (image, [:])
        },
        Spoiled("L12 depth", .invalidArgument) {
            (
                FakeImage(
                    [],
                    changeManifest: { _ in String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000) }),
                [:]
            )
        },
        Spoiled("L12 4 MiB and one byte", .resourceExhausted) {
            (FakeImage([], changeManifest: { $0 + String(repeating: " ", count: 4 << 20) }), [:])
        },
        Spoiled("L12 128 layers", .resourceExhausted) { (FakeImage(Array(repeating: file("a"), count: 128)), [:]) },
        Spoiled("L12 duplicate keys", .invalidArgument) {
            (
                FakeImage(
                    [],
                    changeManifest: { $0.replacing("{\"schemaVersion\":2", with: "{\"layers\":[],\"schemaVersion\":2") }
                ), [:]
            )
        },
        Spoiled("L12 huge number", .invalidArgument) {
            (
                FakeImage([], changeManifest: { $0.replacing("\"schemaVersion\":2", with: "\"schemaVersion\":1e400") }),
                [:]
            )
        },
        Spoiled("L13 manifests and layers", .invalidArgument) {
            (
                FakeImage(
                    [],
                    changeManifest: {
                        $0.replacing("{\"schemaVersion\":2", with: "{\"manifests\":[],\"schemaVersion\":2")
                    }), [:]
            )
        },
        Spoiled("L14 an index in itself, nested", .invalidArgument) {
            var image = FakeImage([])
            var target = image.target
            for _ in 0..<5 {
                let entry = #"{"mediaType":"\#(target.mediaType)","digest":"\#(target.digest)","size":1}"#
                let index = Array(#"{"schemaVersion":2,"manifests":[\#(entry)]}"#.utf8)
                target = ImageDescriptor(
                    mediaType: ImageMediaType.ociIndex, digest: ContentHash.of(index), size: Int64(index.count))
                image.documents[target.digest] = index
            }
            image.target = target
            return (image, [:])
        },
        Spoiled("L14 wrong platform in an index", .notFound) {
            var image = FakeImage([])
            let index = Array(
                #"""
                {"schemaVersion":2,"manifests":[
                 {"mediaType":"\#(image.target.mediaType)","digest":"\#(image.target.digest)","size":1,
                 "platform":{"os":"plan9","architecture":"mips"}}]}
                """#.utf8)
            image.target = ImageDescriptor(
                mediaType: ImageMediaType.ociIndex, digest: ContentHash.of(index), size: Int64(index.count))
            image.documents[image.target.digest] = index
            return (image, [:])
        },
        Spoiled("L14 wrong platform in the configuration", .notFound) {
            (FakeImage([], platform: ImagePlatform(os: "linux", architecture: "s390x")), [:])
        },
        Spoiled("L14 an artifact", .invalidArgument) {
            (
                FakeImage(
                    [],
                    changeManifest: {
                        $0.replacing(ImageMediaType.ociConfig, with: "application/vnd.oci.empty.v1+json")
                    }), [:]
            )
        },
        Spoiled("L15 configuration is an array", .invalidArgument) {
            (FakeImage([], changeConfig: { "[\($0)]" }), [:])
        },
        Spoiled("L15 no configuration", .notFound) {
            let image = FakeImage([], changeManifest: { $0.replacing("sha256:", with: "sha256:") })
            var broken = image
            broken.config = []
            return (broken, [:])
        },
        Spoiled("L15 2 MiB of environment", .resourceExhausted) {
            (FakeImage([], defaults: #"{"Env":["A=\#(String(repeating: "x", count: 2 << 20))"]}"#), [:])
        },
        Spoiled("L15 100,000 labels", .resourceExhausted) {
            (
                FakeImage(
                    [], defaults: "{\"Labels\":{\((0..<100_000).map { "\"l\($0)\":\"\"" }.joined(separator: ","))}}"),
                [:]
            )
        },
        Spoiled("L15 schema 1", .unimplemented) {
            (FakeImage([], changeManifest: { _ in #"{"schemaVersion":1,"fsLayers":[]}"# }), [:])
        },
        Spoiled("L15 foreign layer", .unimplemented) {
            (
                FakeImage(
                    [file("a")],
                    changeManifest: {
                        $0.replacing("image.layer.v1.tar+gzip", with: "image.layer.nondistributable.v1.tar+gzip")
                    }), [:]
            )
        },
        Spoiled("L8 zstd", .unimplemented) {
            (FakeImage([file("a")], changeManifest: { $0.replacing("tar+gzip", with: "tar+zstd") }), [:])
        },
        Spoiled("A4.7 garbage for gzip", .dataLoss) {
            let image = FakeImage([file("a")])
            return (
                image, [image.layers[0].descriptor.digest: [UInt8](repeating: 7, count: image.layers[0].bytes.count)]
            )
        },
    ]

    @Test(arguments: spoiled)
    func `a spoiled image leaves nothing, and a good one is pulled after it`(_ spoiled: Spoiled) async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let (image, blobs) = spoiled.make()
        // One good layer beside the bad one must not stay either.
        let free = store.usage()
        do {
            _ = try await store.pull(try reference("r.example/bad"), from: FakeSource(image, blobs: blobs))
            Issue.record("it was pulled")
        } catch {
            #expect(((error as? ImageStoreError)?.fault ?? error as? Fault)?.code == spoiled.code, "\(error)")
        }
        #expect(try store.list().isEmpty)
        #expect(store.usage() == free)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(scratch.path)/store/tmp") == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.layersPath) == ["0"])
        _ = try await store.pull(try reference("r.example/good"), from: FakeSource(FakeImage([file("a")])))
        #expect(try store.list().count == 1)
    }

    @Test func `a layer that is good goes too when its image fails, unless another pull needs it`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let shared = file("shared")
        let bad = FakeImage([shared, file("bad")])
        let gate = Gate()
        let badDigest = bad.layers[1].descriptor.digest
        let badSource = FakeSource(bad, blobs: [badDigest: [0]]) { digest, _ in
            if digest == badDigest { try await gate.pass() }
        }
        let failing = Task { try await store.pull(try reference("r.example/bad"), from: badSource) }
        await gate.untilReached()
        let good = try await store.pull(try reference("r.example/good"), from: FakeSource(FakeImage([shared])))
        gate.open()
        await #expect(throws: ImageStoreError.self) { try await failing.value }
        #expect(try tree("\(store.layersPath)/\(good.layers[0])") == ["shared 644 0:0 file x"])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: store.layersPath).sorted()
                == ["0", good.layers[0]].sorted())
    }

    @Test func `a hostile repository cannot spoil another one's layer by its digest`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let image = FakeImage([file("a")])
        let gate = Gate()
        let stalling = FakeSource(image, blobs: [image.layers[0].descriptor.digest: [UInt8](repeating: 0, count: 10)]) {
            digest, _ in
            if digest != image.id { try await gate.pass() }
        }
        let hostile = Task { try await store.pull(try reference("evil.example/app"), from: stalling) }
        await gate.untilReached()
        _ = try await store.pull(try reference("r.example/app"), from: FakeSource(image))
        gate.open()
        // By now the layer is local, and the hostile copy of it is of no interest or refused: either way the good one
        // stays.
        do { _ = try await hostile.value } catch { #expect(error is ImageStoreError) }
        #expect(try store.status("r.example/app")?.id == image.id)
        #expect(
            try tree("\(store.layersPath)/\(try #require(try store.status("r.example/app")).layers[0])") == [
                "a 644 0:0 file x"
            ])
    }

    @Test func `127 layers are an image, 128 are refused with a sentence that says so`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let archives = (0..<127).map { file("f\($0)", "\($0)") }
        let image = try await store.pull(try reference("r.example/deep"), from: FakeSource(FakeImage(archives)))
        #expect(image.layers.count == 127)
        let seen = try await store.withView(of: image.id) { view in
            try [0, 63, 126].map { String(decoding: try view.readFile("/f\($0)") ?? [], as: UTF8.self) }
        }
        #expect(seen == ["0", "63", "126"])
        let source = FakeSource(FakeImage(archives + [file("last")]))
        await #expect { _ = try await store.pull(try reference("r.example/deeper"), from: source) } throws: { error in
            "\(error)".contains("it has 128 layers, and at most 127 can be used")
        }
    }

    @Test func `an image without layers is empty, and a layer that comes twice counts once`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let empty = try await store.pull(try reference("r.example/empty"), from: FakeSource(FakeImage([])))
        #expect(empty.layers == [ImageStore.emptyLayer])
        #expect(empty.size > 0)
        #expect(try await store.withView(of: empty.id) { try $0.readFile("/x") } == nil)

        let (a, b) = (file("f", "a"), file("f", "b"))
        let twice = try await store.pull(try reference("r.example/twice"), from: FakeSource(FakeImage([a, b, a])))
        #expect(twice.layers.count == 2)
        let content = try await store.withView(of: twice.id) {
            String(decoding: try $0.readFile("/f") ?? [], as: UTF8.self)
        }
        #expect(content == "a")
    }

    @Test func `an index leads to this platform's manifest, and is the image's repo digest`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        var image = FakeImage([file("a")])
        let host = ImagePlatform.host
        let index = Array(
            #"""
            {"schemaVersion":2,"manifests":[
             {"mediaType":"\#(image.target.mediaType)","digest":"sha256:\#(String(repeating: "0", count: 64))","size":1,
              "platform":{"os":"linux","architecture":"s390x"}},
             {"mediaType":"\#(image.target.mediaType)","digest":"\#(image.target.digest)","size":\#(image.target.size),
              "platform":{"os":"\#(host.os)","architecture":"\#(host.architecture)"}}]}
            """#.utf8)
        image.target = ImageDescriptor(
            mediaType: ImageMediaType.ociIndex, digest: ContentHash.of(index), size: Int64(index.count))
        image.documents[image.target.digest] = index
        let pulled = try await store.pull(try reference("r.example/app"), from: FakeSource(image))
        #expect(pulled.repoDigests == ["r.example/app@\(image.target.digest)"])
    }
}
