import Model

extension Catalog.State {
    /// Finds an image by id, by name with tag or digest, or by the beginning of an id that only one image has.
    func find(_ text: String) throws(ImageStoreError) -> ImageRecord? {
        if let id = Digest(text) ?? Digest(.sha256, hex: text) { return images[id] }
        if let reference = Self.reference(text) {
            let name = reference.canonical
            if let found = images.values.first(where: { $0.repoTags.contains(name) || $0.repoDigests.contains(name) }) {
                return found
            }
        }
        let prefix = text.hasPrefix("sha256:") ? String(text.dropFirst("sha256:".count)) : text
        guard !prefix.isEmpty, prefix.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        let found = images.values.filter { $0.id.hex.hasPrefix(prefix) }
        guard found.count <= 1 else {
            throw .ambiguous("find image \"\(prefix.prefix(80))\": more than one image's id begins so")
        }
        return found.first
    }

    /// The images that have been pulled as this digest.
    func images(target: Digest) -> [ImageRecord] { images.values.filter { $0.targets.contains(target) } }

    private static func reference(_ text: String) -> ImageReference? {
        do throws(Fault) { return try ImageReference(text) } catch { return nil }
    }
}
