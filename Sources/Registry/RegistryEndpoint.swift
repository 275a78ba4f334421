import AsyncHTTPClient
import Model
import NIOCore
import NIOHTTP1
import OCI

/// One host, asked for one repository: the requests of the distribution specification that a pull makes.
struct RegistryEndpoint: Sendable {
    let transport: Transport
    let authorizer: Authorizer
    let reference: ImageReference

    var host: RegistryHost { transport.host }
    var name: String { transport.host.base.authority }

    /// Asks what a tag or digest is, by HEAD; nil where the host answers without a digest.
    func head(_ selector: String, watch: ProgressWatch) async throws -> ImageDescriptor? {
        try await transport.retrying {
            let response = try await send(
                .HEAD, "manifests/\(selector)", accept: ImageMediaType.manifests, watch: watch)
            await Transport.discard(response)
            guard response.status.code != 405, response.status.code != 501 else { return nil }
            try await expectSuccess(response, what: "manifest \"\(selector)\"", body: [])
            guard let digest = response.headers.first(name: "docker-content-digest").flatMap(Digest.init),
                let type = response.headers.first(name: "content-type")
            else { return nil }
            let size = Transport.contentLength(response) ?? 0
            return ImageDescriptor(mediaType: Self.bare(type), digest: digest, size: max(0, size))
        }
    }

    /// Fetches a manifest, verified if `selector` is a digest.
    func manifest(_ selector: String, watch: ProgressWatch) async throws -> (
        descriptor: ImageDescriptor, bytes: [UInt8]
    ) {
        try await transport.retrying {
            let response = try await send(.GET, "manifests/\(selector)", accept: ImageMediaType.manifests, watch: watch)
            let bytes = try await Transport.collect(response, upTo: ImageManifest.bytesMax, host: name, watch: watch)
            try await expectSuccess(response, what: "manifest \"\(selector)\"", body: bytes)
            let expected = Digest(selector)
            let digest = Digest.of(bytes, expected?.algorithm ?? .sha256)
            if let expected, digest != expected { throw RegistryError.digestMismatch(host: name, expected: expected) }
            let type = response.headers.first(name: "content-type").map(Self.bare) ?? ""
            return (ImageDescriptor(mediaType: type, digest: digest, size: Int64(bytes.count)), bytes)
        }
    }

    /// Streams a blob's bytes from `offset` on to `receive`; one attempt.
    func blob(
        _ blob: ImageDescriptor, from offset: Int64, watch: ProgressWatch,
        receive: (ArraySlice<UInt8>) async throws -> Void
    ) async throws {
        let response = try await send(.GET, "blobs/\(blob.digest)", accept: [], offset: offset, watch: watch)
        if response.status.code >= 300 {
            let body = try await Transport.collect(response, upTo: 64 * 1024, host: name, watch: watch)
            try await expectSuccess(response, what: "blob \(blob.digest)", body: body)
        }

        var skip: Int64 = 0
        if offset > 0, response.status.code == 206 {
            guard response.headers.first(name: "content-range")?.hasPrefix("bytes \(offset)-") == true else {
                throw RegistryError.malformed(host: name, reason: "it sent another range of bytes than was asked for")
            }
        } else {
            // A server may ignore the range: what is known already is passed over.
            skip = offset
            if let announced = Transport.contentLength(response), announced != blob.size {
                throw RegistryError.sizeMismatch(host: name, expected: blob.size, got: announced)
            }
        }

        var position = offset - skip
        do {
            for try await chunk in response.body {
                watch.step()
                let bytes = Array(chunk.readableBytesView)
                let known = Int(min(Int64(bytes.count), max(0, offset - position)))
                position += Int64(bytes.count)
                guard position <= blob.size else {
                    throw RegistryError.sizeMismatch(host: name, expected: blob.size, got: position)
                }
                if known < bytes.count { try await receive(bytes[known...]) }
            }
        } catch {
            throw Transport.classify(error, host: name)
        }
        guard position == blob.size else {
            throw TransientFailure(error: .sizeMismatch(host: name, expected: blob.size, got: position))
        }
    }

    private func send(
        _ method: HTTPMethod, _ path: String, accept: [String], offset: Int64 = 0, watch: ProgressWatch
    ) async throws -> HTTPClientResponse {
        let query = host.needsNamespace(for: reference.domain) ? "ns=\(RegistryURL.encode(reference.domain))" : nil
        let url = host.base.appending(path: "/\(reference.path)/\(path)", query: query)
        return try await transport.send(
            Transport.Request(method: method, url: url, accept: accept, offset: offset), authorizer: authorizer,
            watch: watch)
    }

    private func expectSuccess(_ response: HTTPClientResponse, what: String, body: [UInt8]) async throws {
        let reason = Transport.reason(in: body)
        switch response.status.code {
        case 200, 206: return
        case 404: throw RegistryError.notFound(host: name, what: what)
        case 403: throw RegistryError.refused(host: name, status: 403, reason: "access to \(what) is denied\(reason)")
        case let status: throw RegistryError.refused(host: name, status: Int(status), reason: "\(what)\(reason)")
        }
    }

    /// A media type without its parameters.
    private static func bare(_ type: String) -> String { String(type.prefix { $0 != ";" && $0 != " " }) }
}
