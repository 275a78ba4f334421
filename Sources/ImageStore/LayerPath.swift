/// A member's name as a path below the layer's root: components without "", "." and "..".
struct LayerPath: Hashable {
    /// Joined with slashes; empty for the root itself.
    let bytes: [UInt8]
    private let lastSlash: Int?

    static let bytesMax = 4095
    static let componentBytesMax = 255
    static let depthMax = 256

    /// Leading slashes are dropped, as every extractor does; ".." is refused wherever it stands.
    init(_ name: [UInt8]) throws(ImageStoreError) {
        func invalid(_ what: String) -> ImageStoreError {
            .invalidImage("unpack layer: \"\(printable(name))\" \(what)")
        }
        guard !name.isEmpty else { throw .invalidImage("unpack layer: a member has no name") }
        guard !name.contains(0) else { throw invalid("has a NUL in its name") }
        let components = name.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
        guard components.count <= Self.depthMax else { throw invalid("is deeper than \(Self.depthMax) directories") }
        for component in components {
            guard !component.elementsEqual("..".utf8) else { throw invalid("leads out of the layer") }
            guard component.count <= Self.componentBytesMax else {
                throw invalid("has a component longer than \(Self.componentBytesMax) bytes")
            }
        }
        self.init(components)
        guard bytes.count <= Self.bytesMax else { throw invalid("is longer than \(Self.bytesMax) bytes") }
    }

    private init(_ components: some Sequence<ArraySlice<UInt8>>) {
        bytes = Array(components.joined(separator: [UInt8(ascii: "/")]))
        lastSlash = bytes.lastIndex(of: UInt8(ascii: "/"))
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
        lastSlash = bytes.lastIndex(of: UInt8(ascii: "/"))
    }

    static let root = LayerPath(bytes: [])

    var isRoot: Bool { bytes.isEmpty }

    /// The last component.
    var name: ArraySlice<UInt8> { lastSlash.map { bytes[($0 + 1)...] } ?? bytes[...] }

    /// The directory that it is in; the root for a single component.
    var parent: LayerPath { LayerPath(bytes: lastSlash.map { Array(bytes[..<$0]) } ?? []) }

    var components: [ArraySlice<UInt8>] { bytes.split(separator: UInt8(ascii: "/")) }

    /// This path and all directories above it but the root, topmost first.
    var ancestry: [LayerPath] {
        var paths = bytes.indices.filter { bytes[$0] == UInt8(ascii: "/") }.map {
            LayerPath(bytes: Array(bytes[..<$0]))
        }
        if !isRoot { paths.append(self) }
        return paths
    }
}
