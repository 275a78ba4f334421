import Model
import NIOCore
import Streaming
import Testing

extension StreamingTests {
    @Suite struct WebSocketTests {
        @Test(arguments: ["v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io", nil])
        func streamsAreChannels(_ name: String?) async throws {
            try await Fixture.run { fixture in
                let client = try await WebSocketClient(try fixture.execURL(.all), name)
                let head = client.head.content.text
                #expect(head.hasPrefix("HTTP/1.1 101 "))
                // The key and the answer of RFC 6455, 1.3.
                #expect(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
                #expect(head.contains("Sec-WebSocket-Protocol: \(name ?? "")\r\n") == (name != nil))
                await client.logs[1].wait { $0.isAccepted }
                let process = await fixture.target.session()
                client.send("question", on: 0)
                #expect(await process.stdin.readText(8) == "question")
                await process.stdout.write("answer")
                await process.stderr.write("complaint")
                process.end(3)
                #expect(await client.closeCode() == 1000)
                #expect(client.logs[1].content.text == "answer")
                #expect(client.logs[2].content.text == "complaint")
                let isJSON = name?.hasPrefix("v") ?? false
                #expect(client.logs[3].content.text.contains(#""message":"3""#) == isJSON)
                #expect(client.logs[3].content.text.contains("exit status 3"))
                await client.close()
                #expect(process.probe.count("abandon") == 0)
            }
        }

        @Test func v5EndsTheInputAlone() async throws {
            try await Fixture.run { fixture in
                let client = try await WebSocketClient(try fixture.execURL(.all), "v5.channel.k8s.io")
                let process = await fixture.target.session()
                client.send("last", on: 0)
                client.send([0], on: 255)
                #expect(await process.stdin.readText(100) == "last")
                await process.probe.wait(for: "inputEnded")
                await process.stdout.write("after it")
                process.end(0)
                _ = await client.closeCode()
                #expect(client.logs[1].content.text == "after it")
                await client.close()
            }
        }

        @Test(arguments: ["base64.channel.k8s.io", "v4.base64.channel.k8s.io"])
        func base64ChannelsAreText(_ name: String) async throws {
            try await Fixture.run { fixture in
                let client = try await WebSocketClient(try fixture.execURL(.all), name)
                let process = await fixture.target.session()
                // "question" in pieces that split the groups.
                client.send(WebSocketClient.frame(1, Array("0cXVlc3".utf8), isFinal: false))
                client.send(WebSocketClient.frame(0, Array("Rpb24=".utf8)))
                client.send(WebSocketClient.frame(1, Array("0IQ==".utf8)))
                #expect(await process.stdin.readText(9) == "question!")
                await process.stdout.write("a")
                await client.logs[1].wait { $0.count >= 4 }
                #expect(client.logs[1].content.text == "YQ==")
                process.end(0)
                _ = await client.closeCode()
                await client.close()
            }
        }

        @Test func aTerminalIsResized() async throws {
            try await Fixture.run { fixture in
                let client = try await WebSocketClient(try fixture.execURL(.terminal), "v5.channel.k8s.io")
                let process = await fixture.target.session()
                client.send(#"{"Width":10,"Height":20}"#, on: 4)
                await process.probe.wait(for: "resize")
                #expect(process.sizes == [.init(rows: 20, columns: 10)])
                process.end(0)
                _ = await client.closeCode()
                await client.close()
            }
        }

        @Test func pingsAreAnsweredAmidAFragmentedMessage() async throws {
            try await Fixture.run { fixture in
                let client = try await WebSocketClient(try fixture.execURL(.all), "v4.channel.k8s.io")
                let process = await fixture.target.session()
                client.send(WebSocketClient.frame(2, [0] + Array("one ".utf8), isFinal: false))
                client.send(WebSocketClient.frame(9, Array("ping".utf8)))
                client.send(WebSocketClient.frame(0, [], isFinal: false))
                client.send(WebSocketClient.frame(0, Array("message".utf8)))
                await client.control.wait { $0.count == 1 }
                #expect(await process.stdin.readText(11) == "one message")
                process.end(0)
                _ = await client.closeCode()
                await client.close()
            }
        }

        @Test func aProtocolThatNobodyKnowsIsForbidden() async throws {
            try await Fixture.run { fixture in
                let client = try await WebSocketClient(try fixture.execURL(.all), "v9.channel.k8s.io, other")
                #expect(await client.head.whole().text.hasPrefix("HTTP/1.1 403 "))
                await client.close()
            }
        }

        @Test func theFirstProtocolThatIsKnownIsChosen() async throws {
            try await Fixture.run { fixture in
                let client = try await WebSocketClient(
                    try fixture.execURL(.all), "v9.channel.k8s.io, v4.channel.k8s.io,v5.channel.k8s.io")
                #expect(client.head.content.text.contains("Sec-WebSocket-Protocol: v4.channel.k8s.io\r\n"))
                await client.close()
                await fixture.target.session().probe.wait(for: "abandon")
            }
        }

        struct Breach: Sendable, CustomTestStringConvertible {
            var testDescription: String
            var bytes: [UInt8]
            var code: UInt16
            var name = "v4.channel.k8s.io"
        }

        static let breaches: [Breach] = [
            .init(testDescription: "unmasked", bytes: WebSocketClient.frame(2, [0, 1], isMasked: false), code: 1002),
            .init(
                testDescription: "2^63 bytes", bytes: WebSocketClient.frame(2, [0], length: 1 << 63), code: 1009),
            .init(
                testDescription: "33 MiB", bytes: WebSocketClient.frame(2, [0], length: 33 << 20), code: 1009),
            .init(
                testDescription: "fragments of 33 MiB",
                bytes: WebSocketClient.frame(2, [0, 1, 2], isFinal: false)
                    + WebSocketClient.frame(0, [0], length: 32 << 20), code: 1009),
            .init(testDescription: "continuation of nothing", bytes: WebSocketClient.frame(0, [0, 1]), code: 1002),
            .init(
                testDescription: "message within a message",
                bytes: WebSocketClient.frame(2, [0, 1], isFinal: false) + WebSocketClient.frame(2, [0, 1]), code: 1002),
            .init(
                testDescription: "fragmented ping", bytes: WebSocketClient.frame(9, [1], isFinal: false), code: 1002),
            .init(
                testDescription: "long ping", bytes: WebSocketClient.frame(9, [UInt8](repeating: 1, count: 126)),
                code: 1002),
            .init(testDescription: "unknown opcode", bytes: WebSocketClient.frame(3, [0]), code: 1002),
            .init(testDescription: "unknown control", bytes: WebSocketClient.frame(11, [0]), code: 1002),
            .init(
                testDescription: "reserved bit", bytes: [0xc2] + WebSocketClient.frame(2, [0, 1]).dropFirst(),
                code: 1002),
            .init(testDescription: "Close of one byte", bytes: WebSocketClient.frame(8, [3]), code: 1002),
            .init(
                testDescription: "no base64", bytes: WebSocketClient.frame(1, Array("0a?==".utf8)), code: 1000,
                name: "base64.channel.k8s.io"),
            .init(
                testDescription: "cut base64", bytes: WebSocketClient.frame(1, Array("0abc".utf8)), code: 1000,
                name: "base64.channel.k8s.io"),
        ]

        @Test(arguments: breaches) func aBreachClosesTheSocketAndAbandonsTheProcess(_ breach: Breach) async throws {
            try await Fixture.run { fixture in
                let client = try await WebSocketClient(try fixture.execURL(.all), breach.name)
                let process = await fixture.target.session()
                client.send(breach.bytes)
                #expect(await client.closeCode() == breach.code)
                client.channel.close(promise: nil)
                await client.closed()
                await process.probe.wait(for: "abandon")
            }
        }

        @Test func messagesForNoChannelAreIgnored() async throws {
            try await Fixture.run { fixture in
                let client = try await WebSocketClient(try fixture.execURL(.all), "v5.channel.k8s.io")
                let process = await fixture.target.session()
                client.send(WebSocketClient.frame(2, []))
                client.send([1, 2, 3], on: 77)
                client.send("not the client's to write", on: 1)
                client.send([9], on: 255)
                client.send([], on: 255)
                client.send("read", on: 0)
                #expect(await process.stdin.readText(4) == "read")
                process.end(0)
                _ = await client.closeCode()
                await client.close()
            }
        }

        @Test func aClientThatClosesAbandonsTheProcess() async throws {
            try await Fixture.run { fixture in
                let client = try await WebSocketClient(try fixture.execURL(.all), "v5.channel.k8s.io")
                let process = await fixture.target.session()
                await client.close()
                await process.probe.wait(for: "abandon")
                #expect(process.probe.count("abandon") == 1)
            }
        }
    }
}
