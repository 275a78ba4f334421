import AsyncHTTPClient
import FoundationEssentials
import Model
import NIOHTTP1
import Synchronization

/// Answers a registry's challenges for one host and one repository (distribution, spec/auth/token.md; RFC 7617).
///
/// Credentials go to the host that they are for, and to the token server that this host names if it is asked over TLS
/// or is the host itself. Nobody else sees them.
final class Authorizer: Sendable {
    private let host: RegistryHost
    private let repositoryPath: String
    /// Nil where they may not be sent to this host.
    private let credentials: RegistryCredentials?
    private let header: Mutex<String?>

    init(host: RegistryHost, repositoryPath: String, credentials: RegistryCredentials?) {
        self.host = host
        self.repositoryPath = repositoryPath
        self.credentials = credentials
        header = Mutex(credentials.flatMap { $0.registryToken.isEmpty ? nil : "Bearer \($0.registryToken)" })
    }

    /// What requests to the host carry as `Authorization`.
    var authorization: String? { header.withLock { $0 } }

    /// Takes the challenges of a 401 answer; afterwards `authorization` is worth another try, or this has thrown.
    func answer(_ challenges: [Challenge], transport: Transport, watch: ProgressWatch) async throws {
        if let bearer = challenges.first(where: { $0.scheme == "bearer" }) {
            let token = try await token(for: bearer, transport: transport, watch: watch)
            header.withLock { $0 = "Bearer \(token)" }
        } else if challenges.contains(where: { $0.scheme == "basic" }), let basic = credentials?.basicAuthorization {
            guard authorization != basic else { throw refused("the user name or the password is wrong") }
            header.withLock { $0 = basic }
        } else if credentials == nil {
            throw refused("it asks for credentials and none are given")
        } else {
            throw refused("it does not accept this kind of credentials")
        }
    }

    private func refused(_ reason: String) -> RegistryError { .unauthorized(host: host.base.authority, reason: reason) }

    private func token(for challenge: Challenge, transport: Transport, watch: ProgressWatch) async throws -> String {
        if let credentials, !credentials.registryToken.isEmpty { throw refused("the token is refused") }
        guard let realm = challenge.parameters["realm"].flatMap(RegistryURL.init) else {
            throw RegistryError.malformed(host: host.base.authority, reason: "the challenge names no token server")
        }
        let isSameOrigin = realm.origin == host.base.origin
        guard realm.scheme == .https || isSameOrigin || credentials == nil else {
            throw refused("its token server \"\(realm.authority)\" would see the credentials without encryption")
        }
        guard isSameOrigin || !realm.isMachineLocal || host.base.isMachineLocal else {
            throw refused("its token server \"\(realm.authority)\" is an address of this machine")
        }

        let scope = challenge.parameters["scope"] ?? "repository:\(repositoryPath):pull"
        let service = challenge.parameters["service"]
        let answer =
            if let credentials, !credentials.identityToken.isEmpty {
                try await exchange(
                    credentials.identityToken, at: realm, service: service, scope: scope, transport: transport,
                    watch: watch)
            } else {
                try await ask(realm, service: service, scope: scope, transport: transport, watch: watch)
            }
        guard let token = answer.token ?? answer.access_token, !token.isEmpty else {
            throw RegistryError.malformed(host: realm.authority, reason: "the token server sent no token")
        }
        return token
    }

    private func ask(
        _ realm: RegistryURL, service: String?, scope: String, transport: Transport, watch: ProgressWatch
    ) async throws -> TokenAnswer {
        var items = realm.query.map { [$0] } ?? []
        if let service { items.append("service=\(RegistryURL.encode(service))") }
        items += scope.split(separator: " ").map { "scope=\(RegistryURL.encode(String($0)))" }
        if let credentials, !credentials.username.isEmpty {
            items.append("account=\(RegistryURL.encode(credentials.username))")
        }
        let url = RegistryURL(
            scheme: realm.scheme, host: realm.host, port: realm.port, path: realm.path,
            query: items.joined(separator: "&"))
        let request = Transport.Request(method: .GET, url: url, authorization: credentials?.basicAuthorization)
        return try await send(request, transport: transport, watch: watch)
    }

    /// The OAuth2 form (distribution, spec/auth/oauth.md).
    private func exchange(
        _ identityToken: String, at realm: RegistryURL, service: String?, scope: String, transport: Transport,
        watch: ProgressWatch
    ) async throws -> TokenAnswer {
        let form = [
            ("grant_type", "refresh_token"), ("service", service ?? ""), ("client_id", "swiftlet"), ("scope", scope),
            ("refresh_token", identityToken),
        ]
        let body = form.map { "\($0.0)=\(RegistryURL.encode($0.1))" }.joined(separator: "&")
        return try await send(
            Transport.Request(method: .POST, url: realm, form: body), transport: transport, watch: watch)
    }

    private func send(_ request: Transport.Request, transport: Transport, watch: ProgressWatch) async throws
        -> TokenAnswer
    {
        // A token server that is another machine than the registry is not asked with the registry's TLS settings or
        // headers.
        let response = try await transport.sendOnce(
            request, isOwn: request.url.origin == host.base.origin, watch: watch)
        let bytes = try await Transport.collect(response, upTo: 1024 * 1024, host: request.url.authority, watch: watch)
        switch response.status.code {
        case 200..<300: break
        case 400, 401, 403: throw refused("the token server refused the credentials\(Transport.reason(in: bytes))")
        case 429, 500...:
            throw TransientFailure(
                error: .unavailable(
                    host: request.url.authority, reason: "the token server answered \(response.status.code)"))
        default:
            throw RegistryError.refused(
                host: request.url.authority, status: Int(response.status.code), reason: "the token server gave no token"
            )
        }
        do {
            return try JSONDecoder().decode(TokenAnswer.self, from: Data(bytes))
        } catch {
            throw RegistryError.malformed(host: request.url.authority, reason: "the token server sent no JSON object")
        }
    }

    /// The keys keep the protocol's spelling.
    private struct TokenAnswer: Decodable {
        var token: String?
        var access_token: String?
    }
}
