import Model
import SPDY
import Streaming
import Testing

extension StreamingTests {
    @Suite struct RequestTests {
        private func refusal(_ url: String, _ protocols: [String] = ["v4.channel.k8s.io"]) async -> Int? {
            do {
                let client = try await SPDYClient(url, protocols)
                await client.close()
                return nil
            } catch let refusal as SPDYUpgrade.Refusal {
                return refusal.httpStatus
            } catch {
                return -1
            }
        }

        @Test func aURLIsGoodOnceAndInItsPlaceAlone() async throws {
            try await Fixture.run { fixture in
                let url = try fixture.execURL(.output)
                #expect(url.hasPrefix("http://127.0.0.1:"))
                let token = try #require(url.split(separator: "/").last)
                #expect(token.utf8.count == 64)
                #expect(await refusal(url.replacing(token, with: String(repeating: "0", count: 64))) == 404)
                #expect(await refusal(url.replacing(token, with: "short")) == 404)
                #expect(await refusal(url.replacing("/exec/", with: "/")) == 404)
                #expect(await refusal(url) == nil)
                #expect(await refusal(url) == 404)

                let misplaced = try fixture.execURL(.output)
                #expect(await refusal(misplaced.replacing("/exec/", with: "/attach/")) == 404)
                #expect(await refusal(misplaced) == 404)
            }
        }

        @Test func anExpiredURLIsUnknown() async throws {
            try await Fixture.run {
                $0.tokenLife = .zero
            } _: { fixture in
                let url = try fixture.execURL(.output)
                #expect(await refusal(url) == 404)
            }
        }

        @Test func aThousandURLsMayWait() async throws {
            try await Fixture.run { fixture in
                for _ in 0..<1000 { _ = try fixture.execURL(.output) }
                #expect(throws: Fault(.resourceExhausted, "make a streaming URL: 1000 are waiting to be used")) {
                    try fixture.attachURL(.output)
                }
                #expect(await fixture.server.usage().unusedURLs == 1000)
            }
        }

        @Test func versionsAreChosenInTheClientsOrder() async throws {
            try await Fixture.run { fixture in
                let client = try await SPDYClient(
                    try fixture.execURL(.output), ["v9.channel.k8s.io", "v2.channel.k8s.io", "v4.channel.k8s.io"])
                #expect(client.version == "v2.channel.k8s.io")
                await client.close()
                #expect(try await refusal(fixture.execURL(.output), ["v9.channel.k8s.io"]) == 403)
                #expect(try await refusal(fixture.execURL(.output), []) == 400)
                #expect(try await refusal(fixture.server.portForwardURL(pod: fixture.pod, ports: []), ["v4"]) == 403)
            }
        }

        struct Malformed: Sendable, CustomTestStringConvertible {
            var testDescription: String
            var request: String
            var status: String
        }

        static let malformed: [Malformed] = [
            .init(testDescription: "no upgrade", request: "GET PATH HTTP/1.1\r\nHost: x\r\n\r\n", status: "400"),
            .init(
                testDescription: "unknown upgrade",
                request: "GET PATH HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", status: "400"),
            .init(testDescription: "method", request: "PUT PATH HTTP/1.1\r\n\r\n", status: "405"),
            .init(testDescription: "version", request: "GET PATH HTTP/1.0\r\n\r\n", status: "505"),
            .init(testDescription: "no version", request: "GET PATH\r\n\r\n", status: "400"),
            .init(
                testDescription: "body", request: "POST PATH HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", status: "400"),
            .init(
                testDescription: "chunked", request: "POST PATH HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                status: "400"),
            .init(testDescription: "header", request: "GET PATH HTTP/1.1\r\nHost\r\n\r\n", status: "400"),
            .init(testDescription: "header name", request: "GET PATH HTTP/1.1\r\nA b: c\r\n\r\n", status: "400"),
            .init(
                testDescription: "100 KiB",
                request: "GET PATH HTTP/1.1\r\nA: " + String(repeating: "x", count: 100_000),
                status: "431"),
            .init(
                testDescription: "a thousand headers",
                request: "GET PATH HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 1000) + "\r\n", status: "431"),
            .init(
                testDescription: "WebSocket without key",
                request: "GET PATH HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", status: "400"),
            .init(testDescription: "binary", request: "\0\u{1}\u{2}\r\n\r\n", status: "400"),
        ]

        @Test(arguments: malformed) func malformedRequestsAreAnsweredAndClosed(_ sample: Malformed) async throws {
            try await Fixture.run { fixture in
                let url = try fixture.execURL(.output)
                let client = try await RawClient(url)
                client.send(Array(sample.request.replacing("PATH", with: try Target(url).path).utf8))
                let answer = await client.log.whole().text
                #expect(answer.hasPrefix("HTTP/1.1 \(sample.status) "))
                await client.close()
            }
        }

        @Test func aClientThatSendsNoRequestIsDropped() async throws {
            try await Fixture.run {
                $0.requestTimeout = .milliseconds(50)
            } _: { fixture in
                let client = try await RawClient(try fixture.execURL(.output))
                client.send(Array("GET / HT".utf8))
                #expect(await client.log.whole().text == "")
                await client.close()
            }
        }

        @Test func connectionsAreLimited() async throws {
            try await Fixture.run {
                $0.connectionsMax = 2
            } _: { fixture in
                let url = try fixture.execURL(.output)
                let first = try await RawClient(url)
                let second = try await RawClient(url)
                for client in [first, second] { await fixture.waitForConnections { $0 >= 1 }; _ = client }
                await fixture.waitForConnections { $0 == 2 }
                let third = try await RawClient(url)
                #expect(await third.log.whole().isOver)
                await first.close()
                await fixture.waitForConnections { $0 == 1 }
                #expect(await refusal(url) == nil)
                await second.close()
                await third.close()
            }
        }

        @Test func hoardedConnectionsKeepNoClientOut() async throws {
            try await Fixture.run { fixture in
                let url = try fixture.execURL(.output)
                let early = try await SPDYClient(try fixture.execURL(.output), ["v4.channel.k8s.io"])
                var hoard: [RawClient] = []
                for _ in 0..<300 { hoard.append(try await RawClient(url)) }
                for client in hoard.prefix(199) { await client.log.whole() }
                #expect(await refusal(url) == nil)
                #expect(!early.ending.content.isOver)
                await early.close()
                for client in hoard { await client.close() }
            }
        }

        @Test func aClientThatOpensNoStreamsIsDropped() async throws {
            try await Fixture.run {
                $0.creationTimeout = .milliseconds(50)
            } _: { fixture in
                let client = try await SPDYClient(try fixture.execURL(.all), ["v4.channel.k8s.io"])
                let streams = try await client.open(["error", "stdin"])
                #expect(await streams["error"]?.log.whole().isReset == true)
                await client.closed()
                #expect(fixture.target.calls == 0)
            }
        }

        @Test func anIdleConnectionIsClosedAndItsProcessAbandoned() async throws {
            try await Fixture.run {
                $0.idleTimeout = .milliseconds(200)
            } _: { fixture in
                let client = try await SPDYClient(try fixture.execURL(.output), ["v4.channel.k8s.io"])
                _ = try await client.open(StreamChoice.output.types())
                let process = await fixture.target.session()
                await process.probe.wait(for: "abandon")
                await client.closed()
            }
        }
    }
}
