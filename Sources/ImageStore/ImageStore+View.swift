import Linux
package import Model

extension ImageStore {
    /// Runs `body`, which may block, on a thread of the store with a view of the image's files; the image's layers stay
    /// meanwhile.
    package func withView<T: Sendable>(
        of image: Digest, _ body: @escaping @Sendable (ImageView) throws -> T
    ) async throws -> T {
        guard let record = catalog.pinLayers(of: image) else {
            throw ImageStoreError.notFound("view image \(image): not found")
        }
        let result: Result<T, any Error>
        do {
            result = .success(
                try await pool.run { [catalog] in
                    try body(try ImageView(record.layers, of: image, in: catalog.directories))
                })
        } catch {
            result = .failure(error)
        }
        catalog.unpin(record.layers)
        // The image may have been removed meanwhile, and its layers were kept for this view.
        if catalog.look({ $0.images[image] == nil }) { try await catalog.removeUnreferencedLayers() }
        return try result.get()
    }

    /// Looks up who `text` is in an image: the USER of its configuration, or a user that a pod names. Answers are
    /// remembered.
    package func user(_ text: String, of image: Digest) async throws -> ImageUser {
        if let known = users.user(text, of: image) { return known }
        let found = try await withView(of: image) { view in
            try ImageUserLookup(readFile: { path throws(ImageStoreError) in try view.readFile(path) }).user(text)
        }
        users.keep(found, text, of: image)
        return found
    }
}
