import AsyncHTTPClient
import FoundationEssentials
import Glibc
import NIOCore
import NIOHTTP1
import NIOSSL

/// Sends requests to one registry host: follows redirects, answers challenges, repeats what failed in passing.
struct Transport: Sendable {
    struct Request: Sendable {
        var method: HTTPMethod
        var url: RegistryURL
        var accept: [String] = []
        /// Ask for what follows this many bytes.
        var offset: Int64 = 0
        var authorization: String?
        var form: String?
    }

    let client: HTTPClient
    let host: RegistryHost
    let tls: TLSConfiguration?
    let configuration: RegistryConfiguration

    private var name: String { host.base.authority }

    /// Sends a request to the host itself and returns a final answer: no redirect, no challenge left to answer.
    ///
    /// Throws `TransientFailure` where another try may succeed.
    func send(_ request: Request, authorizer: Authorizer, watch: ProgressWatch) async throws -> HTTPClientResponse {
        for _ in 0..<3 {
            var request = request
            request.authorization = authorizer.authorization
            let (response, isOwn) = try await follow(request, watch: watch)
            switch response.status.code {
            case 401:
                await Self.discard(response)
                guard isOwn else {
                    throw RegistryError.unauthorized(
                        host: name, reason: "the server it redirects to asks for credentials")
                }
                let challenges = response.headers["www-authenticate"].prefix(16).flatMap(Challenge.parse)
                try await authorizer.answer(challenges, transport: self, watch: watch)
            case 429:
                await Self.discard(response)
                throw TransientFailure(error: .throttled(host: name), retryAfter: Self.retryAfter(response))
            case 500...:
                await Self.discard(response)
                throw TransientFailure(
                    error: .unavailable(host: name, reason: "it answered \(response.status.code)"),
                    retryAfter: Self.retryAfter(response))
            default:
                return response
            }
        }
        throw RegistryError.unauthorized(host: name, reason: "the credentials are refused")
    }

    /// Runs `body` until it does not throw `TransientFailure`, at most `retriesMax` times more than once.
    func retrying<T>(_ body: () async throws -> T) async throws -> T {
        var attempt = 0
        while true {
            do {
                return try await body()
            } catch let failure as TransientFailure {
                guard attempt < configuration.retriesMax else { throw failure.error }
                try await pause(before: attempt, failure)
                attempt += 1
            }
        }
    }

    /// Waits as long as the back-off and the server want.
    func pause(before attempt: Int, _ failure: TransientFailure) async throws {
        let asked = min(failure.retryAfter ?? .zero, configuration.retryAfterMax)
        try await Task.sleep(for: max(configuration.backoff(attempt), asked))
    }

    /// Sends one request as it is, without redirects.
    ///
    /// - Parameter isOwn: whether it goes to the registry host, whose TLS settings and headers it then carries.
    func sendOnce(_ request: Request, isOwn: Bool, watch: ProgressWatch) async throws -> HTTPClientResponse {
        var message = HTTPClientRequest(url: request.url.description)
        message.method = request.method
        message.headers.add(name: "user-agent", value: configuration.userAgent)
        for type in request.accept { message.headers.add(name: "accept", value: type) }
        if request.offset > 0 { message.headers.add(name: "range", value: "bytes=\(request.offset)-") }
        if let authorization = request.authorization {
            message.headers.add(name: "authorization", value: authorization)
        }
        if let form = request.form {
            message.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
            message.body = .bytes(ByteBuffer(string: form))
        }
        if isOwn {
            message.tlsConfiguration = tls
            for header in host.headers { message.headers.replaceOrAdd(name: header.name, value: header.value) }
        }
        do {
            // The deadline is far: what ends a request is the lack of progress, or its task's cancellation.
            let response = try await client.execute(message, deadline: .now() + .hours(24))
            watch.step()
            return response
        } catch {
            throw Self.classify(error, host: request.url.authority)
        }
    }

    /// Follows redirects; `isOwn` tells whether the answer is the registry host's.
    private func follow(_ first: Request, watch: ProgressWatch) async throws -> (
        response: HTTPClientResponse, isOwn: Bool
    ) {
        var request = first
        for _ in 0...configuration.redirectsMax {
            let isOwn = request.url.origin == host.base.origin
            // What is bound to the host does not travel: neither credentials nor configured headers nor client
            // certificates (CVE-2020-15157).
            if !isOwn { request.authorization = nil }
            let response = try await sendOnce(request, isOwn: isOwn, watch: watch)
            guard [301, 302, 303, 307, 308].contains(response.status.code) else { return (response, isOwn) }

            await Self.discard(response)
            guard let location = response.headers.first(name: "location"),
                let next = request.url.resolving(location: location)
            else {
                throw RegistryError.malformed(host: name, reason: "it redirects to nothing that can be asked")
            }
            guard next.scheme == .https || request.url.scheme == .http else {
                throw RegistryError.malformed(host: name, reason: "it redirects from https to http")
            }
            guard !next.isMachineLocal || host.base.isMachineLocal else {
                throw RegistryError.malformed(
                    host: name, reason: "it redirects to an address of this machine, \"\(next.authority)\"")
            }
            request.url = next
        }
        throw RegistryError.malformed(host: name, reason: "it redirects more than \(configuration.redirectsMax) times")
    }
}

// MARK: - Bodies and errors

extension Transport {
    /// The whole body, refused as soon as it is larger than `bytesMax`.
    static func collect(
        _ response: HTTPClientResponse, upTo bytesMax: Int, host: String, watch: ProgressWatch
    ) async throws -> [UInt8] {
        if let announced = contentLength(response), announced > Int64(bytesMax) {
            throw RegistryError.malformed(host: host, reason: "the answer is larger than \(bytesMax) bytes")
        }
        var bytes: [UInt8] = []
        do {
            for try await chunk in response.body {
                watch.step()
                guard bytes.count + chunk.readableBytes <= bytesMax else {
                    throw RegistryError.malformed(host: host, reason: "the answer is larger than \(bytesMax) bytes")
                }
                bytes += chunk.readableBytesView
            }
        } catch {
            throw classify(error, host: host)
        }
        return bytes
    }

    /// Reads a short body to its end, so that the connection can be used again; a long one is left, which closes the
    /// connection.
    static func discard(_ response: HTTPClientResponse) async {
        var left = 64 * 1024
        do {
            for try await chunk in response.body {
                left -= chunk.readableBytes
                if left <= 0 { return }
            }
        } catch {
            // The body is not wanted, and neither is the reason why it broke off.
            return
        }
    }

    static func contentLength(_ response: HTTPClientResponse) -> Int64? {
        response.headers.first(name: "content-length").flatMap { Int64($0) }
    }

    /// The first error that a registry's JSON answer names, in its own words, made printable.
    static func reason(in body: [UInt8]) -> String {
        struct Answer: Decodable {
            struct Entry: Decodable {
                var code: String?
                var message: String?
            }
            var errors: [Entry]?
        }
        guard body.count <= 64 * 1024,
            let entry = (Result { try JSONDecoder().decode(Answer.self, from: Data(body)) }).value?.errors?.first
        else { return "" }
        let words = [entry.code, entry.message].compactMap { $0 }.joined(separator: ": ")
        let printable = words.unicodeScalars.prefix(200).filter { $0.value >= 0x20 && $0.value != 0x7f }
        return printable.isEmpty ? "" : ": \(String(String.UnicodeScalarView(printable)))"
    }

    /// What the HTTP client threw, in our terms; errors of ours and cancellation pass.
    static func classify(_ error: any Error, host: String) -> any Error {
        if error is ReceiverFailure { return error }
        if Task.isCancelled { return CancellationError() }
        switch error {
        case is RegistryError, is TransientFailure, is CancellationError: return error
        case let error as HTTPClientError
        where [.remoteConnectionClosed, .uncleanShutdown, .requestStreamCancelled].contains(error):
            return TransientFailure(error: .unavailable(host: host, reason: "the connection broke off"))
        case let error as HTTPClientError
        where [.connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout].contains(error):
            return RegistryError.unavailable(host: host, reason: "no connection in time")
        case let error as IOError where [ECONNRESET, EPIPE, ECONNABORTED].contains(error.errnoCode):
            return TransientFailure(error: .unavailable(host: host, reason: "the connection broke off"))
        default:
            return RegistryError.unavailable(host: host, reason: String(String(describing: error).prefix(300)))
        }
    }

    private static func retryAfter(_ response: HTTPClientResponse) -> Duration? {
        response.headers.first(name: "retry-after").flatMap { Int64($0) }.map { .seconds(max(0, min($0, 3600))) }
    }
}

extension Result {
    fileprivate var value: Success? { if case .success(let value) = self { value } else { nil } }
}
