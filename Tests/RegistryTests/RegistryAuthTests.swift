import Model
import NIOHTTP1
import OCI
import Synchronization
import Testing

@testable import Registry

private let basic = "Basic dXNlcjpzZWNyZXQ="  // user:secret

@Suite(.timeLimit(.minutes(10))) struct RegistryAuthTests {
    private func user(_ server: String = "") throws -> RegistryCredentials {
        try RegistryCredentials(username: "user", password: "secret", serverAddress: server)
    }

    /// Resolves `app/one:v1`: "ok", or the code of the failure.
    private func outcome(
        _ authority: String, _ credentials: RegistryCredentials?, hosts: String? = nil
    ) async throws -> String {
        try await resolve(authority, credentials, hosts: hosts)?.fault.code.rawValue ?? "ok"
    }

    /// Resolves `app/one:v1` and returns what it threw.
    private func resolve(
        _ authority: String, _ credentials: RegistryCredentials?, hosts: String? = nil
    ) async throws -> RegistryError? {
        try await withClient(hosts: hosts) { client in
            let session = try client.session(
                for: try ImageReference("\(authority)/app/one:v1"), credentials: credentials)
            do {
                _ = try await session.resolve()
                return nil
            } catch let error as RegistryError {
                return error
            }
        }
    }

    @Test func `basic credentials are sent when asked for, and wrong ones fail`() async throws {
        let image = SampleImage()
        try await withServer({ asked, _ in
            asked.authorization == basic
                ? image.reply(to: asked) : .status(.unauthorized, ["www-authenticate": "Basic realm=\"r\""])
        }) { server async throws in
            #expect(try await outcome(server.authority, try user()) == "ok")
            #expect(server.requests.map(\.authorization) == [nil, basic])
            #expect(try await outcome(server.authority, nil) == "unauthenticated")
            #expect(
                try await outcome(server.authority, try RegistryCredentials(username: "user", password: "wrong"))
                    == "unauthenticated")
            #expect(try await outcome(server.authority, try user("elsewhere")) == "unauthenticated")
            #expect(server.requests.compactMap(\.authorization).filter { $0 != basic }.count == 1)
        }
    }

    /// A registry with a token server at `/token` of the same origin.
    private func tokenRegistry(_ image: SampleImage, realm: String? = nil) -> FaultServer.Script {
        { asked, _ in
            if asked.path == "/token" {
                let isIdentity =
                    asked.method == .POST && asked.body.contains("refresh_token=idt%2F1")
                    && asked.body.contains("service=s%26t")
                let isKnown =
                    asked.authorization == basic || asked.authorization == nil && asked.method == .GET || isIdentity
                return isKnown ? .json(#"{"token":"t0","expires_in":60}"#) : .status(.unauthorized)
            }
            if asked.authorization == "Bearer t0" || asked.authorization == "Bearer given" {
                return image.reply(to: asked)
            }
            let place = realm ?? "http://\(asked.headers.first(name: "host") ?? "")/token"
            return .status(
                .unauthorized,
                ["www-authenticate": "Bearer realm=\"\(place)\",service=\"s&t\",scope=\"repository:app/one:pull\""])
        }
    }

    @Test func `a token is fetched with the credentials, the service and the scope of the challenge`() async throws {
        try await withServer(tokenRegistry(SampleImage())) { server async throws in
            #expect(try await outcome(server.authority, try user()) == "ok")
            let token = try #require(server.requests.first { $0.path == "/token" })
            #expect(token.authorization == basic)
            #expect(token.query == "service=s%26t&scope=repository%3Aapp%2Fone%3Apull&account=user")
            #expect(server.requests.last?.authorization == "Bearer t0")
        }
    }

    @Test func `without credentials an anonymous token is fetched`() async throws {
        try await withServer(tokenRegistry(SampleImage())) { server async throws in
            #expect(try await outcome(server.authority, nil) == "ok")
            let token = try #require(server.requests.first { $0.path == "/token" })
            #expect(token.authorization == nil)
        }
    }

    @Test func `an identity token is exchanged and a registry token is sent as it is`() async throws {
        try await withServer(tokenRegistry(SampleImage())) { server async throws in
            #expect(try await outcome(server.authority, try RegistryCredentials(identityToken: "idt/1")) == "ok")
            #expect(try await outcome(server.authority, try RegistryCredentials(registryToken: "given")) == "ok")
            #expect(server.requests.last?.authorization == "Bearer given")
            #expect(
                try await outcome(server.authority, try RegistryCredentials(registryToken: "stale"))
                    == "unauthenticated")
        }
    }

    @Test func `wrong credentials at the token server fail with the registry's name and without the password`()
        async throws
    {
        try await withServer(tokenRegistry(SampleImage())) { server async throws in
            let error = try #require(
                try await resolve(server.authority, try RegistryCredentials(username: "user", password: "hunter2")))
            #expect(error.fault.code == .unauthenticated)
            #expect(error.description.contains(server.authority))
            #expect(!error.description.contains("hunter2"))
        }
    }

    @Test func `a registry that never accepts its own token is left after three tries`() async throws {
        try await withServer({ asked, _ in
            asked.path == "/token"
                ? .json(#"{"access_token":"t1"}"#)
                : .status(
                    .unauthorized,
                    ["www-authenticate": "Bearer realm=\"http://\(asked.headers.first(name: "host") ?? "")/token\""])
        }) { server async throws in
            #expect(try await outcome(server.authority, try user()) == "unauthenticated")
            #expect(server.requests.count == 6)
        }
    }

    @Test func `credentials are not sent to a token server elsewhere without encryption`() async throws {
        try await withServer({ _, _ in .json(#"{"token":"t0"}"#) }) { thief async throws in
            try await withServer(tokenRegistry(SampleImage(), realm: "http://\(thief.authority)/token")) {
                server async throws in
                #expect(try await outcome(server.authority, try user()) == "unauthenticated")
                #expect(
                    try await outcome(server.authority, try RegistryCredentials(identityToken: "idt/1"))
                        == "unauthenticated")
                #expect(thief.requests.isEmpty)
                #expect(try await outcome(server.authority, nil) == "ok")
                #expect(thief.requests.map(\.authorization) == [nil])
            }
        }
    }

    @Test func `a redirect to another host carries neither credentials nor configured headers`() async throws {
        let image = SampleImage()
        try await withServer({ asked, _ in image.reply(to: asked) }) { store in
            try await withServer({ asked, _ in
                guard asked.authorization == basic else {
                    return .status(.unauthorized, ["www-authenticate": "Basic realm=\"r\""])
                }
                return asked.path.contains("/blobs/")
                    ? .status(.temporaryRedirect, ["location": "http://\(store.authority)\(asked.path)"])
                    : image.reply(to: asked)
            }) { server async throws in
                let scratch = try Scratch()
                try scratch.write(
                    "server = \"http://\(server.authority)\"\n[header]\nx-inside = \"1\"",
                    to: "\(server.authority)/hosts.toml")
                try await withClient(hosts: scratch.path) { client in
                    let session = try client.session(
                        for: try ImageReference("\(server.authority)/app/one:v1"), credentials: try user())
                    #expect(try await collect(session, image.layerDescriptor) == image.layer)
                }
                #expect(store.requests.count == 1)
                #expect(store.requests[0].authorization == nil)
                #expect(store.requests[0].headers["x-inside"].isEmpty)
                #expect(server.requests.allSatisfy { $0.headers["x-inside"] == ["1"] })
            }
        }
    }

    @Test func `a server that is redirected to cannot ask for credentials`() async throws {
        try await withServer({ _, _ in .status(.unauthorized, ["www-authenticate": "Basic realm=\"r\""]) }) {
            thief async throws in
            try await withServer({ asked, _ in .status(.found, ["location": "http://\(thief.authority)/x"]) }) {
                server async throws in
                #expect(try await outcome(server.authority, try user()) == "unauthenticated")
                #expect(thief.requests.allSatisfy { $0.authorization == nil })
            }
        }
    }

    @Test(arguments: ["/again", "file:///etc/passwd", "", "http://user:pw@127.0.0.1/", "gopher://127.0.0.1/"])
    func `a redirect in a circle or to something else than HTTP ends`(_ location: String) async throws {
        try await withServer({ _, _ in .status(.movedPermanently, ["location": location]) }) { server async throws in
            let error = try await resolve(server.authority, nil)
            guard case .malformed = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(server.requests.count == (location == "/again" ? 11 : 1))
        }
    }

    @Test func `mirrors are asked first, with the namespace, without credentials, and only for what they may`()
        async throws
    {
        let image = SampleImage()
        try await withServer({ asked, _ in asked.path.contains("/blobs/") ? image.reply(to: asked) : .status(.notFound)
        }) { mirror in
            try await withServer({ asked, _ in
                asked.authorization == basic
                    ? image.reply(to: asked) : .status(.unauthorized, ["www-authenticate": "Basic realm=\"r\""])
            }) { server async throws in
                let scratch = try Scratch()
                try scratch.write(
                    """
                    server = "http://\(server.authority)"
                    [host."http://127.0.0.1:1"]
                    [host."http://\(mirror.authority)/deep"]
                      capabilities = ["pull"]
                    """, to: "registry.example/hosts.toml")
                try await withClient(hosts: scratch.path) { client in
                    let session = try client.session(
                        for: try ImageReference("registry.example/app/one:v1"), credentials: try user())
                    let descriptor = try await session.resolve()
                    #expect(mirror.requests.isEmpty)
                    #expect(try await session.manifest(descriptor) == image.manifest)
                    #expect(try await collect(session, image.layerDescriptor) == image.layer)
                }
                #expect(
                    mirror.requests.map(\.path) == [
                        "/deep/v2/app/one/manifests/\(digest(image.manifest))",
                        "/deep/v2/app/one/blobs/\(digest(image.layer))",
                    ])
                #expect(mirror.requests.allSatisfy { $0.query == "ns=registry.example" && $0.authorization == nil })
                #expect(server.requests.contains { $0.authorization == basic })
            }
        }
    }
}
