import Linux

/// A look at a store that may be another process's: which layers its next start would remove. Nothing is written or removed.
package enum UnneededLayers {
    private static let entriesMax = 1_000_000

    /// - Parameters:
    ///   - path: of the store; one that is not there has none.
    ///   - kept: layers that containers need.
    package static func find(in path: String, kept: Set<String>) throws -> [String] {
        guard let layers = try directory(path + "/layers"), let images = try directory(path + "/images") else {
            return []
        }
        let present = Set(try names(in: layers, path + "/layers")).subtracting([StoreDirectories.emptyLayer])
        var needed = kept
        for name in try names(in: images, path + "/images") {
            // A damaged image is removed at a start; its layers go with it.
            guard let file = try RecordFile.read(ImageFile.self, Path(name), in: images) else { continue }
            needed.formUnion(file.layers)
        }
        return present.subtracting(needed).sorted()
    }

    private static func directory(_ path: String) throws(ImageStoreError) -> SharedFD? {
        do throws(Errno) {
            return SharedFD(try OwnedFD.open(Path(path), [.readOnly, .directory]))
        } catch Errno.noEntry {
            return nil
        } catch {
            throw ImageStoreError("open", path, error)
        }
    }

    private static func names(in directory: SharedFD, _ path: String) throws(ImageStoreError) -> [String] {
        do throws(Errno) {
            return try directory.fd.entries(max: entriesMax).map { String(decoding: $0.name, as: UTF8.self) }
        } catch {
            throw ImageStoreError("list", path, error)
        }
    }
}
