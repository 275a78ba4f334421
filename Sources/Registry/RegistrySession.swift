package import Model
package import OCI
import Synchronization

/// One caller's pull of one image: what a tag means, manifests by digest, blobs as streams.
///
/// Hosts are asked in the order of the configuration, and the next one is asked where one cannot answer. What fails
/// everywhere fails with the error of the last host, which is the registry itself.
package final class RegistrySession: Sendable {
    package let reference: ImageReference
    private let endpoints: [RegistryEndpoint]
    private let configuration: RegistryConfiguration
    /// A manifest that had to be fetched to learn its digest.
    private let known = Mutex<(digest: Digest, bytes: [UInt8])?>(nil)

    init(reference: ImageReference, endpoints: [RegistryEndpoint], configuration: RegistryConfiguration) {
        self.reference = reference
        self.endpoints = endpoints
        self.configuration = configuration
    }

    /// Asks the registry what the reference means; never answered from memory, so that wrong credentials fail whatever
    /// is local.
    ///
    /// The size is 0 where the registry does not tell it.
    package func resolve() async throws -> ImageDescriptor {
        let selector = reference.digest?.description ?? reference.tag ?? "latest"
        // A digest means the same at every host that may be pulled from.
        let able = endpoints.filter { reference.digest == nil ? $0.host.canResolve : $0.host.canPull }
        return try await first(of: able) { [self] endpoint, watch in
            if let descriptor = try await endpoint.head(selector, watch: watch) {
                if let wanted = reference.digest, descriptor.digest != wanted {
                    throw RegistryError.digestMismatch(host: endpoint.name, expected: wanted)
                }
                return descriptor
            }
            let (descriptor, bytes) = try await endpoint.manifest(selector, watch: watch)
            known.withLock { $0 = (descriptor.digest, bytes) }
            return descriptor
        }
    }

    /// The bytes of a manifest or index, verified; at most 4 MiB.
    package func manifest(_ descriptor: ImageDescriptor) async throws -> [UInt8] {
        if let bytes = known.withLock({ $0.flatMap { $0.digest == descriptor.digest ? $0.bytes : nil } }) {
            return bytes
        }
        return try await first(of: endpoints.filter(\.host.canPull)) { endpoint, watch in
            try await endpoint.manifest(descriptor.digest.description, watch: watch).bytes
        }
    }

    /// Streams a blob to `receive`, in order and each byte once; a broken connection is continued where it broke.
    ///
    /// The bytes are counted but not verified: who receives them verifies their digest. What `receive` throws ends the
    /// transfer.
    package func blob(
        _ descriptor: ImageDescriptor, receive: @escaping @Sendable (ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        let position = Mutex<Int64>(0)
        let able = endpoints.filter(\.host.canPull)
        try await first(of: able) { [configuration] endpoint, watch in
            var failures = 0
            while true {
                let start = position.withLock { $0 }
                do {
                    try await endpoint.blob(descriptor, from: start, watch: watch) { bytes in
                        do {
                            try await watch.consuming { try await receive(bytes) }
                        } catch {
                            throw ReceiverFailure(error: error)
                        }
                        position.withLock { $0 += Int64(bytes.count) }
                    }
                    return
                } catch let failure as TransientFailure {
                    // A connection that breaks again and again but brings something each time gets there.
                    if position.withLock({ $0 }) - start >= 1024 { failures = 0 }
                    guard failures < configuration.retriesMax else { throw failure.error }
                    try await watch.consuming { try await endpoint.transport.pause(before: failures, failure) }
                    failures += 1
                }
            }
        }
    }

    /// Asks hosts in order until one answers.
    private func first<T: Sendable>(
        of able: [RegistryEndpoint], _ body: @escaping @Sendable (RegistryEndpoint, ProgressWatch) async throws -> T
    ) async throws -> T {
        var last = RegistryError.unavailable(host: reference.domain, reason: "no configured host may be asked for this")
        for endpoint in able {
            do {
                let failure = RegistryError.noProgress(host: endpoint.name, timeout: configuration.noProgressTimeout)
                return try await ProgressWatch.run(timeout: configuration.noProgressTimeout, failure: failure) {
                    watch in
                    try await body(endpoint, watch)
                }
            } catch let failure as ReceiverFailure {
                throw failure.error
            } catch let error as RegistryError {
                last = error
            }
        }
        throw last
    }
}
