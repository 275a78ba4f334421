import Model
import OCI
import Testing

private let digest = "sha256:" + String(repeating: "a", count: 64)
private let config = #"{"mediaType":"\#(ImageMediaType.ociConfig)","digest":"\#(digest)","size":2}"#
private let layers =
    #"[{"mediaType":"\#(ImageMediaType.ociLayer)+gzip","digest":"\#(digest)","size":3,"urls":["http://elsewhere"]}]"#

private let docker = ImageMediaType.dockerManifest

private func decode(_ text: String, as type: String? = ImageMediaType.ociManifest) throws -> ImageDocument {
    try ImageDocument(decoding: Array(text.utf8), mediaType: type)
}

@Suite struct ImageDocumentTests {
    @Test(arguments: [ImageMediaType.ociManifest, ImageMediaType.dockerManifest, nil, "application/json"])
    func `a manifest is read under the type it was announced as`(_ type: String?) throws {
        guard
            case .manifest(let manifest) = try decode(
                #"{"schemaVersion":2,"config":\#(config),"layers":\#(layers)}"#, as: type)
        else { return #expect(Bool(false), "not a manifest") }
        #expect(manifest.layers.count == 1)
        #expect(manifest.config.size == 2)
    }

    struct Wrong: CustomTestStringConvertible {
        var name: String
        var text: String
        var type: String? = ImageMediaType.ociManifest
        var testDescription: String { name }
    }

    static let wrong: [Wrong] = [
        Wrong(name: "both lists", text: #"{"schemaVersion":2,"config":\#(config),"layers":[],"manifests":[]}"#),
        Wrong(name: "an index announced as a manifest", text: #"{"schemaVersion":2,"manifests":[]}"#),
        Wrong(
            name: "a manifest announced as an index", text: #"{"schemaVersion":2,"config":\#(config),"layers":[]}"#,
            type: ImageMediaType.ociIndex),
        Wrong(
            name: "own type differs",
            text:
                #"{"schemaVersion":2,"mediaType":"\#(docker)","config":\#(config),"layers":[]}"#),
        Wrong(name: "schema 1", text: #"{"schemaVersion":1,"fsLayers":[]}"#, type: nil),
        Wrong(
            name: "schema 1 in disguise", text: #"{"schemaVersion":2,"fsLayers":[],"config":\#(config),"layers":[]}"#),
        Wrong(name: "no version", text: #"{"config":\#(config),"layers":[]}"#),
        Wrong(
            name: "a type of no manifest", text: #"{"schemaVersion":2,"config":\#(config),"layers":[]}"#,
            type: "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        Wrong(name: "layers twice", text: #"{"schemaVersion":2,"config":\#(config),"layers":[],"layers":\#(layers)}"#),
        Wrong(
            name: "layers twice, escaped",
            text: #"{"schemaVersion":2,"config":\#(config),"layers":[],"l\u0061yers":\#(layers)}"#),
        Wrong(name: "a byte order mark", text: "\u{feff}" + #"{"schemaVersion":2,"config":\#(config),"layers":[]}"#),
        Wrong(name: "something after the end", text: #"{"schemaVersion":2,"config":\#(config),"layers":[]}{}"#),
        Wrong(name: "an array", text: "[]"),
        Wrong(name: "nothing", text: ""),
        Wrong(name: "null layers", text: #"{"schemaVersion":2,"config":\#(config),"layers":null}"#),
        Wrong(
            name: "a negative size",
            text: #"{"schemaVersion":2,"config":\#(config.replacing("2}", with: "-2}")),"layers":[]}"#),
        Wrong(
            name: "a size of 1e400",
            text: #"{"schemaVersion":2,"config":\#(config.replacing("2}", with: "1e400}")),"layers":[]}"#),
        Wrong(
            name: "a short digest",
            text: #"{"schemaVersion":2,"config":\#(config.replacing("aaaa", with: "a")),"layers":[]}"#),
        Wrong(name: "1000 levels", text: String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000)),
        Wrong(name: "a million values", text: "[" + String(repeating: "0,", count: 1_000_000) + "0]"),
        Wrong(name: "a string without end", text: #"{"schemaVersion"#),
        Wrong(name: "a wrong escape", text: #"{"\uzzzz":1}"#),
        Wrong(name: "4 MiB and a byte", text: "{}" + String(repeating: " ", count: 4 * 1024 * 1024 - 1)),
    ]

    @Test(arguments: wrong)
    func `a document that is malformed or ambiguous is refused`(_ wrong: Wrong) {
        #expect(throws: ImageFormatError.self) { try decode(wrong.text, as: wrong.type) }
    }

    @Test func `the entry that runs best is chosen, attestations never`() throws {
        func entry(_ digit: String, _ platform: String?, _ more: String = "") -> String {
            let digest = "sha256:" + String(repeating: digit, count: 64)
            let shown = platform.map { #","platform":\#($0)"# } ?? ""
            return #"{"mediaType":"\#(ImageMediaType.ociManifest)","digest":"\#(digest)","size":1\#(shown)\#(more)}"#
        }
        let text = [
            entry(
                "0", #"{"os":"linux","architecture":"amd64"}"#,
                #","annotations":{"vnd.docker.reference.type":"attestation-manifest"}"#),
            entry("1", #"{"os":"unknown","architecture":"unknown"}"#),
            entry("2", #"{"os":"windows","architecture":"amd64"}"#),
            entry("3", nil), entry("4", #"{"os":"linux","architecture":"amd64","variant":"v3"}"#),
            entry("5", #"{"os":"linux","architecture":"amd64"}"#),
            entry("6", #"{"os":"linux","architecture":"amd64"}"#),
            entry("7", #"{"os":"linux","architecture":"arm","variant":"v7"}"#),
            entry("8", #"{"os":"linux","architecture":"arm64"}"#),
        ].joined(separator: ",")
        guard
            case .index(let index) = try decode(
                #"{"schemaVersion":2,"manifests":[\#(text)]}"#, as: ImageMediaType.ociIndex)
        else {
            return #expect(Bool(false), "not an index")
        }
        let amd64 = ImagePlatform(os: "linux", architecture: "amd64")
        #expect(index.best(for: amd64)?.digest.hex.first == "5")
        #expect(
            index.best(for: ImagePlatform(os: "linux", architecture: "arm64", variant: "v8"))?.digest.hex.first == "8")
        #expect(index.best(for: ImagePlatform(os: "linux", architecture: "riscv64"))?.digest.hex.first == "3")
        #expect(ImageIndex(mediaType: ImageMediaType.ociIndex, manifests: []).best(for: amd64) == nil)
    }

    @Test(arguments: [
        (ImageMediaType.ociLayer, LayerCompression.none), (ImageMediaType.ociLayer + "+gzip", .gzip),
        (ImageMediaType.ociLayer + "+zstd", .zstd), (ImageMediaType.dockerLayer + ".gzip", .gzip),
    ])
    func `a layer's type tells its compression`(_ type: String, _ compression: LayerCompression) throws {
        #expect(try LayerCompression(mediaType: type) == compression)
    }

    @Test(arguments: [
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.in-toto+json", "",
    ])
    func `foreign layers and what is no layer are refused`(_ type: String) {
        #expect(throws: ImageFormatError.self) { try LayerCompression(mediaType: type) }
    }
}

@Suite struct ImageConfigTests {
    @Test func `a configuration keeps what containers need`() throws {
        let text = #"""
            {"os":"linux","architecture":"amd64","created":"2024-01-01T00:00:00Z","history":[{"created_by":"x"}],
             "config":{"User":"app","Env":["A=b"],"Entrypoint":["/e"],"Cmd":null,"Volumes":{"/data":{}},
                       "WorkingDir":"/w",
                       "Labels":{"k":"v"},"StopSignal":"SIGQUIT","ExposedPorts":{"80/tcp":{}}},
             "rootfs":{"type":"layers","diff_ids":["\#(digest)"]}}
            """#
        let config = try ImageConfig(decoding: Array(text.utf8))
        #expect(config.config?.user == "app")
        #expect(config.config?.command == nil)
        #expect(config.config?.volumes?.keys.sorted() == ["/data"])
        #expect(config.rootfs.diffIDs.map(\.description) == [digest])
        #expect(config.platform.description == "linux/amd64")
    }

    @Test(arguments: [
        "[]", "{}", #"{"rootfs":{"type":"layers"}}"#, #"{"rootfs":{"type":"other","diff_ids":[]}}"#,
        #"{"rootfs":{"type":"layers","diff_ids":["sha256:../x"]}}"#,
        #"{"config":[],"rootfs":{"type":"layers","diff_ids":[]}}"#,
        #"{"config":{"Env":"A=b"},"rootfs":{"type":"layers","diff_ids":[]}}"#,
    ])
    func `a configuration of another shape is refused`(_ text: String) {
        #expect(throws: ImageFormatError.self) { try ImageConfig(decoding: Array(text.utf8)) }
    }

    @Test func `a configuration above its limits is refused`() {
        let labels = (0..<250_000).map { #""\#($0)":"""# }.joined(separator: ",")
        let text = #"{"config":{"Labels":{\#(labels)}},"rootfs":{"type":"layers","diff_ids":[]}}"#
        #expect(throws: ImageFormatError.self) { try ImageConfig(decoding: Array(text.utf8)) }
        #expect(throws: ImageFormatError.self) {
            try ImageConfig(decoding: Array(repeating: 0x20, count: 8 * 1024 * 1024 + 1))
        }
    }
}
