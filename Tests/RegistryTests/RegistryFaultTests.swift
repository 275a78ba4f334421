import Model
import NIOHTTP1
import OCI
import Testing

@testable import Registry

@Suite(.timeLimit(.minutes(10))) struct RegistryFaultTests {
    private func session(
        _ client: RegistryClient, _ server: FaultServer, credentials: RegistryCredentials? = nil,
        selector: String = ":v1"
    ) throws -> RegistrySession {
        try client.session(for: try ImageReference("\(server.authority)/app/one\(selector)"), credentials: credentials)
    }

    /// Resolves and fetches a blob from a server that answers by `script`.
    private func pull(
        _ script: @escaping FaultServer.Script, image: SampleImage = SampleImage(), noProgress: Duration = .seconds(20)
    ) async throws -> [FaultServer.Asked] {
        try await withServer(script) { server in
            try await withClient(noProgress: noProgress) { client in
                let session = try session(client, server)
                let descriptor = try await session.resolve()
                #expect(try await session.manifest(descriptor) == image.manifest)
                #expect(try await collect(session, image.layerDescriptor) == image.layer)
            }
            return server.requests
        }
    }

    /// What the pull failed with.
    private func failure(
        _ script: @escaping FaultServer.Script, noProgress: Duration = .seconds(20)
    ) async throws -> (error: RegistryError?, count: Int) {
        try await withServer(script) { server in
            try await withClient(noProgress: noProgress) { client in
                let session = try session(client, server)
                do {
                    let descriptor = try await session.resolve()
                    _ = try await session.manifest(descriptor)
                    _ = try await collect(session, SampleImage().layerDescriptor)
                    return (nil, server.requests.count)
                } catch let error as RegistryError {
                    return (error, server.requests.count)
                }
            }
        }
    }

    @Test func `three failures of the server are retried`() async throws {
        let image = SampleImage()
        let asked = try await pull { asked, count in
            count % 4 < 3 ? .status(.serviceUnavailable) : image.reply(to: asked)
        }
        #expect(asked.count == 12)
    }

    @Test func `too many requests are repeated, and given up after five`() async throws {
        let image = SampleImage()
        _ = try await pull { asked, count in
            count == 0 ? .status(.tooManyRequests, ["retry-after": "0"]) : image.reply(to: asked)
        }
        let (error, count) = try await failure { _, _ in .status(.tooManyRequests) }
        #expect(error?.fault.code == .resourceExhausted)
        #expect(count == 6)
    }

    @Test func `a server that keeps failing is reported as unavailable`() async throws {
        let (error, count) = try await failure { _, _ in .status(.internalServerError) }
        #expect(error?.fault.code == .unknown)
        #expect(error?.fault.description.hasPrefix("RegistryUnavailable") == true)
        #expect(count == 6)
    }

    @Test func `an unreachable registry is recognisable`() async throws {
        let server = try await FaultServer.start { _, _ in .status(.ok) }
        try await server.stop()
        try await withClient { client in
            for name in [server.authority, "no-such-host.invalid"] {
                let session = try client.session(for: try ImageReference("\(name)/app"), credentials: nil)
                await #expect {
                    _ = try await session.resolve()
                } throws: { error in
                    guard let error = error as? RegistryError, case .unavailable = error else { return false }
                    return error.fault.description.hasPrefix("RegistryUnavailable") && error.fault.code == .unknown
                }
            }
        }
    }

    @Test func `a broken transfer goes on where it broke`() async throws {
        let image = SampleImage(layerSize: 1_000_000)
        let asked = try await pull(
            { asked, _ in
                var reply = image.reply(to: asked)
                if asked.path.contains("/blobs/"), reply.body.count > 150_000 { reply.breakAfter = 150_000 }
                return reply
            }, image: image)
        // A reset may cost what was under way, so that there may be more than six; but each starts where the last one
        // came to.
        let starts = asked.compactMap { $0.headers.first(name: "range") }.compactMap {
            Int($0.dropFirst("bytes=".count).dropLast())
        }
        #expect(starts.count >= 6)
        #expect(zip(starts, starts.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func `a server that ignores the range does not repeat bytes`() async throws {
        let image = SampleImage()
        let broken = 100_000
        _ = try await pull { asked, _ in
            guard asked.path.contains("/blobs/") else { return image.reply(to: asked) }
            var reply = FaultServer.Reply.body(image.layer)
            if asked.headers["range"].isEmpty { reply.breakAfter = broken }
            return reply
        }
    }

    @Test func `a transfer that never gets further is given up`() async throws {
        let image = SampleImage()
        let (error, count) = try await failure { asked, _ in
            var reply = image.reply(to: asked)
            if asked.path.contains("/blobs/") { reply.breakAfter = 0 }
            return reply
        }
        #expect(error?.fault.code == .unknown)
        #expect(count == 2 + 6)
    }

    @Test func `a flipped byte in a manifest is refused at once`() async throws {
        let image = SampleImage()
        let (error, count) = try await failure { asked, _ in
            var reply = image.reply(to: asked)
            if asked.method == .GET { reply.body[20] ^= 1 }
            return reply
        }
        #expect(error == .digestMismatch(host: "", expected: digest(image.manifest)).at(error))
        #expect(count == 2)
    }

    @Test(arguments: [-1, 1])
    func `a blob that is announced with another size is refused`(_ difference: Int) async throws {
        let image = SampleImage()
        let (error, count) = try await failure { asked, _ in
            guard asked.path.contains("/blobs/") else { return image.reply(to: asked) }
            return .body(difference < 0 ? Array(image.layer.dropLast()) : image.layer + [0])
        }
        guard case .sizeMismatch(_, let expected, let got) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(got == expected + Int64(difference))
        #expect(count == 3)
    }

    @Test func `a blob longer than its descriptor is cut off, announced or not`() async throws {
        let image = SampleImage()
        let (error, _) = try await failure { asked, _ in
            guard asked.path.contains("/blobs/") else { return image.reply(to: asked) }
            return FaultServer.Reply(body: image.layer + Array(repeating: 0, count: 500_000), announced: .chunked)
        }
        guard case .sizeMismatch = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `a stalled transfer ends when nothing arrives`() async throws {
        let image = SampleImage()
        let (error, _) = try await failure(
            { asked, _ in
                var reply = image.reply(to: asked)
                if asked.path.contains("/blobs/") {
                    reply.breakAfter = 1000
                    reply.stalls = true
                }
                return reply
            }, noProgress: .milliseconds(200))
        #expect(error?.fault.code == .deadlineExceeded)
    }

    @Test func `a manifest above 4 MiB is refused while it arrives`() async throws {
        let (error, _) = try await failure { asked, _ in
            asked.method == .HEAD
                ? .status(.methodNotAllowed)
                : FaultServer.Reply(body: Array(repeating: 0x20, count: 5 * 1024 * 1024), announced: .chunked)
        }
        guard case .malformed = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(arguments: ["docker-content-digest", "content-type", "everything"])
    func `a registry without a usable HEAD is asked by GET`(_ missing: String) async throws {
        let image = SampleImage()
        let asked = try await pull { asked, _ in
            var reply = image.reply(to: asked)
            if missing == "everything", asked.method == .HEAD { return .status(.methodNotAllowed) }
            if asked.method == .HEAD { reply.headers.remove(name: missing) }
            return reply
        }
        #expect(asked.map(\.method) == [.HEAD, .GET, .GET])
    }

    @Test func `what is not there is not found, and an answer for another digest is refused`() async throws {
        let (error, _) = try await failure { _, _ in .status(.notFound) }
        #expect(error?.fault.code == .notFound)

        let image = SampleImage()
        try await withServer({ asked, _ in image.reply(to: asked) }) { server in
            try await withClient { client in
                let other = "@sha256:" + String(repeating: "1", count: 64)
                let session = try session(client, server, selector: other)
                await #expect(throws: RegistryError.self) { try await session.resolve() }
            }
        }
    }

    @Test func `what the receiver throws ends the transfer as it is`() async throws {
        struct Full: Error {}
        let image = SampleImage()
        try await withServer({ asked, _ in image.reply(to: asked) }) { server in
            try await withClient { client in
                let session = try session(client, server)
                await #expect(throws: Full.self) { try await session.blob(image.layerDescriptor) { _ in throw Full() } }
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test func `cancelling a pull closes its connection`() async throws {
        let image = SampleImage()
        try await withServer({ asked, _ in
            var reply = image.reply(to: asked)
            reply.breakAfter = 1000
            reply.stalls = true
            return reply
        }) { server in
            try await withClient { client in
                let session = try session(client, server)
                let (arrived, signal) = AsyncStream.makeStream(of: Void.self)
                let pull = Task { try await session.blob(image.layerDescriptor) { _ in signal.yield() } }
                for await _ in arrived { break }
                pull.cancel()
                await #expect(throws: CancellationError.self) { try await pull.value }
                try await server.untilIdle()
            }
        }
    }
}

extension RegistryError {
    /// This mismatch, at the host of `other`.
    fileprivate func at(_ other: RegistryError?) -> RegistryError {
        guard case .digestMismatch(_, let expected) = self, case .digestMismatch(let host, _) = other else {
            return self
        }
        return .digestMismatch(host: host, expected: expected)
    }
}
