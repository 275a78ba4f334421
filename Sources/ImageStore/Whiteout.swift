/// What a member's name says about lower layers (image-spec, layer.md, "Whiteouts").
enum Whiteout: Equatable {
    /// An ordinary member.
    case none
    /// `.wh.NAME`: NAME of the lower layers is gone.
    case removal(of: [UInt8])
    /// `.wh..wh..opq`: nothing of the lower layers shows in this directory.
    case opaque
    /// Other `.wh..wh.` names are notes that aufs kept for itself.
    case ignored

    private static let prefix = Array(".wh.".utf8)

    init(_ path: LayerPath) throws(ImageStoreError) {
        func invalid() -> ImageStoreError {
            .invalidImage("unpack layer: \"\(printable(path.bytes))\" is a malformed whiteout")
        }
        let components = path.components
        for component in components.dropLast() where component.starts(with: Self.prefix) {
            guard component.dropFirst(Self.prefix.count).starts(with: Self.prefix) else { throw invalid() }
            self = .ignored
            return
        }
        guard let name = components.last, name.starts(with: Self.prefix) else {
            self = .none
            return
        }
        let target = name.dropFirst(Self.prefix.count)
        if target.elementsEqual(".wh..opq".utf8) {
            self = .opaque
        } else if target.starts(with: Self.prefix) {
            self = .ignored
        } else {
            guard !target.isEmpty, !target.elementsEqual(".".utf8), !target.elementsEqual("..".utf8) else {
                throw invalid()
            }
            self = .removal(of: Array(target))
        }
    }
}
