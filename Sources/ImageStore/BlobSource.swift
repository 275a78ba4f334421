package import OCI

/// Where the content of one image comes from: the port that a registry client fills, made for one pull by one caller.
///
/// What the methods throw reaches the caller of `ImageStore.pull` unchanged.
package protocol BlobSource: Sendable {
    /// What the reference means at this moment, as the source itself says: never answered from memory.
    func resolve() async throws -> ImageDescriptor

    /// The bytes of a manifest or an index, at most `ImageManifest.bytesMax`. The store verifies them.
    func manifest(_ descriptor: ImageDescriptor) async throws -> [UInt8]

    /// Streams a blob to `receive`, in order and each byte once. The store verifies it; what `receive` throws is thrown
    /// on.
    func blob(
        _ descriptor: ImageDescriptor, receive: @escaping @Sendable (ArraySlice<UInt8>) async throws -> Void
    ) async throws
}
