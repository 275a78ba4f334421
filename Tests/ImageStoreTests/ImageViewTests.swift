import Foundation
import Linux
import Model
import OCI
import Testing

@testable import ImageStore

private typealias Build = (inout TarBuilder) -> Void

@Suite(.timeLimit(.minutes(10))) struct ImageViewTests {
    /// Pulls an image of these layers and lists what a real overlay mount of them shows.
    private func merged(_ layers: [Build], gzip: Bool = true) async throws -> [String] {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let source = FakeSource(FakeImage(layers.map { TarBuilder.archive($0) }, gzip: gzip))
        let image = try await store.pull(try reference("r.example/app"), from: source)
        return try await store.withView(of: image.id) { view throws in
            guard let root = try view.openDirectory("/") else { return [] }
            let status = try root.fd.status()
            return try ["/ \(String(status.mode, radix: 8)) \(status.uid):\(status.gid)"] + tree(root.fd)
        }
    }

    @Test func `whiteouts and opaque directories hide what lower layers have`() async throws {
        let shown = try await merged([
            { tar in
                tar.add("gone", content: "1")
                tar.add("kept", content: "1")
                tar.add("dir", type: "5")
                tar.add("dir/gone", content: "1")
                tar.add("dir/kept", content: "1")
                tar.add("opaque", type: "5")
                tar.add("opaque/lower", content: "1")
                tar.add("replaced", type: "5")
                tar.add("replaced/lower", content: "1")
                tar.add("whole", type: "5")
                tar.add("whole/lower", content: "1")
                tar.add("turned", type: "5")
                tar.add("turned/lower", content: "1")
            },
            { tar in
                tar.add(".wh.gone")
                tar.add(".wh.never-there")
                tar.add("dir", type: "5", mode: 0o700)
                tar.add("dir/.wh.gone")
                tar.add("opaque", type: "5")
                tar.add("opaque/.wh..wh..opq")
                tar.add("opaque/upper", content: "2")
                // Gone and made anew in one layer, in either order: nothing of the lower one shows.
                tar.add(".wh.replaced")
                tar.add("replaced", type: "5")
                tar.add("replaced/upper", content: "2")
                tar.add("whole", type: "5")
                tar.add("whole/upper", content: "2")
                tar.add(".wh.whole")
                tar.add("turned", content: "a file now")
            },
        ])
        #expect(
            shown == [
                "/ 755 0:0", "dir 700 0:0 dir", "dir/kept 644 0:0 file 1", "kept 644 0:0 file 1", "opaque 755 0:0 dir",
                "opaque/upper 644 0:0 file 2", "replaced 755 0:0 dir", "replaced/upper 644 0:0 file 2",
                "turned 644 0:0 file a file now",
                "whole 755 0:0 dir", "whole/upper 644 0:0 file 2",
            ])
    }

    @Test func `a whiteout spares what its own layer brings, and a file brought later wins`() async throws {
        let shown = try await merged([
            { $0.add("f", content: "lower") },
            { tar in
                tar.add("f", content: "mine")
                tar.add(".wh.f")
                tar.add(".wh.g")
                tar.add("g", content: "later")
                tar.add("g", content: "latest")
            },
        ])
        #expect(shown == ["/ 755 0:0", "f 644 0:0 file mine", "g 644 0:0 file latest"])
    }

    @Test func `an opaque root hides all lower layers`() async throws {
        let shown = try await merged([
            { $0.add("lowest") },
            { tar in
                tar.add(".wh..wh..opq")
                tar.add("middle")
            },
            { $0.add("upper") },
        ])
        #expect(shown == ["/ 755 0:0", "middle 644 0:0 file ", "upper 644 0:0 file "])
    }

    @Test func `links, devices and uncompressed layers come out as they went in`() async throws {
        let shown = try await merged(
            [
                { tar in
                    tar.add("./", type: "5", mode: 0o711, uid: 3)
                    tar.add("usr/bin/", type: "5")
                    tar.add("usr/bin/tool", mode: 0o4755, content: "tool")
                    tar.add("usr/bin/alias", type: "1", link: "./usr/bin/tool")
                    tar.add("bin", type: "2", link: "usr/bin")
                    tar.add("dev/null", type: "3", mode: 0o666, major: 1, minor: 3)
                }, { $0.add("bin2", type: "2", link: "/bin") },
            ], gzip: false)
        #expect(
            shown == [
                "/ 711 3:0", "bin 777 0:0 -> usr/bin", "bin2 777 0:0 -> /bin", "dev 755 0:0 dir",
                "dev/null 666 0:0 device 1:3", "usr 755 0:0 dir",
                "usr/bin 755 0:0 dir", "usr/bin/alias 4755 0:0 file tool", "usr/bin/tool 4755 0:0 file tool",
            ])
    }

    @Test func `directories that a layer does not bring keep what lower layers gave them`() async throws {
        let base: Build = { tar in
            tar.add("./", type: "5", mode: 0o555, uid: 1)
            tar.add("tmp", type: "5", mode: 0o1777)
            tar.add("home/me", type: "5", mode: 0o700, uid: 1000, gid: 1000)
            tar.add("link", type: "2", link: "tmp")
            tar.add("hidden", type: "5", mode: 0o700)
            tar.add("opaque/in", type: "5", mode: 0o700)
        }
        let top: Build = { tar in
            tar.add("tmp/x")
            tar.add("home/me/x")
            tar.add("hidden/x")
            tar.add("opaque/in/x")
            tar.add("link/x")
        }
        let middle: Build = { tar in
            tar.add(".wh.hidden")
            tar.add("opaque", type: "5")
            tar.add("opaque/.wh..wh..opq")
        }
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let archives = [base, middle, top].map { TarBuilder.archive($0) }
        func shown(_ name: String, _ layers: [[UInt8]]) async throws -> [String] {
            let image = try await store.pull(try reference("r.example/\(name)"), from: FakeSource(FakeImage(layers)))
            return try await store.withView(of: image.id) { view throws in
                guard let root = try view.openDirectory("/") else { return [] }
                let status = try root.fd.status()
                return try ["/ \(String(status.mode, radix: 8)) \(status.uid)"]
                    + tree(root.fd).filter { $0.hasSuffix("dir") }
            }
        }
        let onBase = [
            "/ 555 1", "hidden 755 0:0 dir", "home 755 0:0 dir", "home/me 700 1000:1000 dir", "link 755 0:0 dir",
            "opaque 755 0:0 dir",
            "opaque/in 755 0:0 dir", "tmp 1777 0:0 dir",
        ]
        #expect(try await shown("on-base", archives) == onBase)
        // The same layer alone is as it came, and a second image of the first chain uses the same copies.
        #expect(try await shown("alone", [archives[2]]).contains("tmp 755 0:0 dir"))
        let count = try FileManager.default.contentsOfDirectory(atPath: store.layersPath).count
        #expect(try await shown("again", archives + [TarBuilder.archive { $0.add("tmp/y") }]) == onBase)
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.layersPath).count == count + 1 + 1)
        for name in ["on-base", "alone", "again"] { try await store.remove("r.example/\(name)") }
        #expect(store.usage().usedBytes == 0)
    }

    // MARK: Reading

    @Test func `files are read inside the image whatever its links say, and nothing but regular files`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let canary = scratch.canary
        let archive = TarBuilder.archive { tar in
            tar.add("etc/real", content: "real")
            tar.add("etc/absolute", type: "2", link: "/etc/real")
            tar.add("etc/up", type: "2", link: "../../../../../etc/real")
            tar.add("etc/out", type: "2", link: "\(canary)/f")
            tar.add("etc/circle", type: "2", link: "circle")
            tar.add("etc/magic", type: "2", link: "/proc/self/root\(canary)/f")
            tar.add("etc/zero", type: "3", mode: 0o666, major: 1, minor: 5)
            tar.add("etc/fifo", type: "6")
            tar.add("etc/large", content: String(repeating: "x", count: 100))
        }
        let image = try await store.pull(try reference("r.example/app"), from: FakeSource(FakeImage([archive])))
        try await store.withView(of: image.id) { view throws in
            for path in ["/etc/real", "etc/real", "/etc/absolute", "/etc/up", "/../../etc/real"] {
                #expect(try view.readFile(path) == Array("real".utf8))
            }
            for path in ["/etc/out", "/etc/magic", "/etc/none", "/etc/real/x"] {
                #expect(try view.readFile(path) == nil)
            }
            for path in ["/etc", "/etc/circle", "/etc/zero", "/etc/fifo", "/"] {
                #expect(throws: ImageStoreError.self) { try view.readFile(path) }
            }
            #expect(try view.readFile("/etc/large", bytesMax: 100)?.count == 100)
            #expect { _ = try view.readFile("/etc/large", bytesMax: 99) } throws: {
                ($0 as? ImageStoreError)?.fault.code == .resourceExhausted
            }
        }
        await #expect { try await store.withView(of: ContentHash.of([1])) { _ in } } throws: {
            ($0 as? ImageStoreError)?.fault.code == .notFound
        }
    }

    @Test func `an image that is removed under a view stays until the view is done`() async throws {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let image = try await store.pull(
            try reference("r.example/app"),
            from: FakeSource(FakeImage([TarBuilder.archive { $0.add("f", content: "x") }])))
        let (begun, signal) = AsyncStream.makeStream(of: Void.self)
        let semaphore = DispatchSemaphore(value: 0)
        let reading = Task {
            try await store.withView(of: image.id) { view throws in
                signal.yield()
                semaphore.wait()
                return try view.readFile("/f")
            }
        }
        for await _ in begun { break }
        try await store.remove("r.example/app")
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.layersPath).count == 2)
        semaphore.signal()
        #expect(try await reading.value == [0x78])
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.layersPath).count == 1)
    }

    @Test func `without lowerdir+ a view has all the layers that an image may have, and no mount shows on the host`()
        throws
    {
        let scratch = try Scratch()
        let directories = try StoreDirectories(path: "\(scratch.path)/store")
        // 127 names of four digits are more than one string of fsconfig(2) holds.
        let names = (1001...1127).map(String.init)
        for name in names {
            try directories.layers.fd.makeDirectory(Path(name), mode: 0o755)
            try directories.layers.fd.open(Path("\(name)/\(name)"), [.writeOnly, .create], mode: 0o644).close()
            try directories.layers.fd.open(Path("\(name)/top"), [.writeOnly, .create], mode: 0o644).writeAll(
                Array(name.utf8))
        }
        let before = try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
        let view = try ImageView.mountBeforeLowerdirPlus(names, directories, [.readOnly, .noExecute])
        #expect(try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8) == before)
        for name in names { _ = try view.fd.open(Path(name), [.readOnly]) }
        #expect(try view.fd.open("top", [.readOnly]).readToEnd(max: 16) == Array("1127".utf8))
        #expect(throws: Errno.readOnlyFilesystem) { _ = try view.fd.open("new", [.writeOnly, .create], mode: 0o600) }
    }

    // MARK: Copying

    private func copied(_ path: String, limits: CopyLimits = CopyLimits(), _ layers: [Build]) async throws -> (
        did: Bool, tree: [String]
    ) {
        let scratch = try Scratch()
        let store = try await openStore(scratch)
        let image = try await store.pull(
            try reference("r.example/app"), from: FakeSource(FakeImage(layers.map { TarBuilder.archive($0) })))
        let target = try scratch.directory("layer-volume")
        let did = try await store.withView(of: image.id) { try $0.copyTree(path, into: target.fd, limits: limits) }
        #expect(try scratch.isCanaryUntouched)
        let status = try target.fd.status()
        return (
            did,
            ["/ \(String(status.mode, radix: 8)) \(status.uid):\(status.gid)"]
                + (try tree("\(scratch.path)/layer-volume"))
        )
    }

    @Test func `a volume gets the merged content with its owners, modes and links`() async throws {
        let (did, tree) = try await copied(
            "/data",
            [
                { tar in
                    tar.add("data", type: "5", mode: 0o750, uid: 7, gid: 8)
                    tar.add("data/f", mode: 0o4640, uid: 9, content: "x")
                    tar.add("data/gone")
                    tar.add("data/link", type: "2", uid: 5, link: "/etc/passwd")
                    tar.add("data/sub/deep/g", content: "y")
                    tar.add("data/null", type: "3", major: 1, minor: 3)
                    tar.add("data/fifo", type: "6", mode: 0o622)
                }, { $0.add("data/.wh.gone") },
            ])
        #expect(did)
        #expect(
            tree == [
                "/ 750 7:8", "f 4640 9:0 file x", "fifo 622 0:0 fifo", "link 777 5:0 -> /etc/passwd", "sub 755 0:0 dir",
                "sub/deep 755 0:0 dir",
                "sub/deep/g 644 0:0 file y",
            ])
    }

    @Test(arguments: ["/../../../canary", "/proc/self/root/tmp", "/out", "/out/dir", "/missing", "/file", "/dev"])
    func `a volume path that leads out of the image copies nothing from outside`(_ path: String) async throws {
        let (_, tree) = try await copied(
            path,
            [
                { tar in
                    tar.add("out", type: "2", link: "../../../../../../../../../../tmp")
                    tar.add("file", content: "x")
                }
            ])
        #expect(tree.count == 1)
    }

    @Test func `a copy has bounds`() async throws {
        var limits = CopyLimits()
        limits.entriesMax = 10
        limits.bytesMax = 100
        for build: Build in [
            { tar in for index in 0..<11 { tar.add("d/\(index)") } },
            { $0.add("d/large", content: String(repeating: "x", count: 101)) },
            { $0.add("d/" + String(repeating: "d/", count: 220) + "f") },
        ] {
            await #expect { _ = try await copied("/d", limits: limits, [build]) } throws: {
                ($0 as? ImageStoreError)?.fault.code == .resourceExhausted
            }
        }
    }
}
