import Model
import NIOCore
import SPDY
import Streaming
import Synchronization
import Testing

extension StreamingTests {
    @Suite struct PortForwardTests {
        static let names = ["portforward.k8s.io"]

        /// One connection of a client: the error stream is ended at once, as client-go does it.
        private func forward(_ client: SPDYClient, _ port: UInt16, _ request: Int) async throws -> (
            data: SPDYClientEnd, error: SPDYClientEnd
        ) {
            var headers: SPDYHeaders = ["streamType": "error", "port": "\(port)", "requestID": "\(request)"]
            let error = try await client.open(headers)
            error.finish()
            headers["streamType"] = "data"
            let data = try await client.open(headers)
            await data.log.wait { $0.isAccepted || $0.isReset }
            return (data, error)
        }

        @Test func manyConnectionsToManyPorts() async throws {
            try await Fixture.run { fixture in
                let listeners: [UInt16: EchoListener] = [80: EchoListener(), 443: EchoListener()]
                fixture.target.ports.withLock { $0 = listeners }
                let client = try await SPDYClient(
                    try fixture.server.portForwardURL(pod: fixture.pod, ports: [80]), Self.names)
                #expect(client.version == "portforward.k8s.io")
                for round in 0..<20 {
                    let port: UInt16 = round % 2 == 0 ? 80 : 443
                    let (data, error) = try await forward(client, port, round)
                    let pod = try await #require(listeners[port]).accept()
                    data.write("question")
                    #expect(await pod.readText(8) == "question")
                    await pod.write("answer")
                    await data.log.wait { $0.count == 6 }
                    if round % 3 == 0 {
                        // The client ends first.
                        data.finish()
                        #expect(await pod.readText(1) == "")
                        await pod.write("!")
                        pod.close()
                        #expect(await data.log.whole().text == "answer!")
                    } else {
                        pod.close()
                        #expect(await data.log.whole().text == "answer")
                        data.reset()
                    }
                    #expect(await error.log.whole().text == "")
                }
                await client.close()
                fixture.target.ports.withLock { $0 = [:] }
            }
        }

        @Test func aPortThatFailsIsToldAndLeavesTheOthersAlone() async throws {
            try await Fixture.run { fixture in
                let listener = EchoListener()
                fixture.target.ports.withLock { $0 = [80: listener] }
                let client = try await SPDYClient(
                    try fixture.server.portForwardURL(pod: fixture.pod, ports: []), Self.names)
                let good = try await forward(client, 80, 1)
                let pod = await listener.accept()
                let bad = try await forward(client, 81, 2)
                #expect(
                    await bad.error.log.whole().text
                        == "error forwarding port 81 to pod \(fixture.pod), uid : connect to port 81: connection refused"
                )
                #expect(await bad.data.log.whole().isReset)
                good.data.write("alive")
                #expect(await pod.readText(5) == "alive")
                await client.close()
                #expect(await pod.readText(1) == "")
                fixture.target.ports.withLock { $0 = [:] }
            }
        }

        @Test func clientsWithoutRequestNumbersArePairedByTheirStreams() async throws {
            try await Fixture.run { fixture in
                let listener = EchoListener()
                fixture.target.ports.withLock { $0 = [80: listener] }
                let client = try await SPDYClient(
                    try fixture.server.portForwardURL(pod: fixture.pod, ports: []), Self.names)
                _ = try await client.open(["streamType": "error", "port": "80"])
                let data = try await client.open(["streamType": "data", "port": "80"])
                let pod = await listener.accept()
                await pod.write("hello")
                await data.log.wait { $0.text == "hello" }
                await client.close()
                fixture.target.ports.withLock { $0 = [:] }
            }
        }

        @Test func halfAPairIsGivenUp() async throws {
            try await Fixture.run {
                $0.creationTimeout = .milliseconds(50)
            } _: { fixture in
                let client = try await SPDYClient(
                    try fixture.server.portForwardURL(pod: fixture.pod, ports: []), Self.names)
                let error = try await client.open(["streamType": "error", "port": "80", "requestID": "7"])
                #expect(await error.log.whole().text == "timed out waiting for streams")
                let data = try await client.open(["streamType": "data", "port": "80", "requestID": "8"])
                #expect(await data.log.whole().isReset)
                await client.close()
            }
        }

        static let wrong: [SPDYHeaders] = [
            [:], ["streamType": "data"], ["streamType": "data", "port": "0"], ["streamType": "data", "port": "65536"],
            ["streamType": "stdin", "port": "80"], ["port": "80"], ["streamType": "data", "port": "-1"],
        ]

        @Test func streamsThatAreWrongAreReset() async throws {
            try await Fixture.run { fixture in
                let client = try await SPDYClient(
                    try fixture.server.portForwardURL(pod: fixture.pod, ports: []), Self.names)
                for headers in Self.wrong {
                    let stream = try await client.open(headers)
                    #expect(await stream.log.whole().isReset)
                }
                let first = try await client.open(["streamType": "error", "port": "80", "requestID": "1"])
                let second = try await client.open(["streamType": "error", "port": "80", "requestID": "1"])
                #expect(await second.log.whole().isReset)
                await first.log.wait { $0.text.contains("already assigned") }
                await client.close()
            }
        }

        @Test func connectionsOfOneClientAreLimited() async throws {
            try await Fixture.run {
                $0.forwardsMax = 2
            } _: { fixture in
                let listener = EchoListener()
                fixture.target.ports.withLock { $0 = [80: listener] }
                let client = try await SPDYClient(
                    try fixture.server.portForwardURL(pod: fixture.pod, ports: []), Self.names)
                let first = try await forward(client, 80, 1)
                _ = try await forward(client, 80, 2)
                let third = try await forward(client, 80, 3)
                #expect(await third.data.log.whole().isReset)
                first.data.reset()
                #expect(await first.error.log.whole().text == "")
                let fourth = try await forward(client, 80, 4)
                #expect(!fourth.data.log.content.isReset)
                await client.close()
                fixture.target.ports.withLock { $0 = [:] }
            }
        }

        @Test func spdyGoesThroughWebSocketMessages() async throws {
            try await Fixture.run { fixture in
                let listener = EchoListener()
                fixture.target.ports.withLock { $0 = [80: listener] }
                let client = try await TunnelClient(
                    try fixture.server.portForwardURL(pod: fixture.pod, ports: []))
                #expect(
                    client.socket.head.content.text.contains("Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io\r\n"))
                let data = try await client.open(port: 80)
                let pod = await listener.accept()
                await pod.write("hello")
                await data.log.wait { $0.text == "hello" }
                data.write("world")
                #expect(await pod.readText(5) == "world")
                pod.close()
                _ = await data.log.whole()
                client.socket.channel.close(promise: nil)
                await client.socket.closed()
                fixture.target.ports.withLock { $0 = [:] }
            }
        }

        @Test func theOldProtocolHasTwoChannelsForEachPort() async throws {
            try await Fixture.run { fixture in
                let listener = EchoListener()
                fixture.target.ports.withLock { $0 = [8080: listener] }
                let client = try await WebSocketClient(
                    try fixture.server.portForwardURL(pod: fixture.pod, ports: [8080, 81]), "v4.channel.k8s.io")
                let pod = await listener.accept()
                for (number, port) in [(0, 8080), (1, 8080), (2, 81), (3, 81)] {
                    let first = await client.logs[number].wait { $0.count >= 2 }.bytes.prefix(2)
                    #expect(Int(first[0]) | Int(first[1]) << 8 == port)
                }
                await client.logs[3].wait { $0.text.contains("connection refused") }
                client.send("question", on: 0)
                #expect(await pod.readText(8) == "question")
                await pod.write("answer")
                await client.logs[0].wait { $0.count == 8 }
                pod.close()
                #expect(await client.closeCode() == 1000)
                await client.close()
                fixture.target.ports.withLock { $0 = [:] }
            }
        }

        @Test func bytesWaitForTheSlowerSide() async throws {
            try await Fixture.run { fixture in
                let listener = EchoListener()
                fixture.target.ports.withLock { $0 = [80: listener] }
                let client = try await SPDYClient(
                    try fixture.server.portForwardURL(pod: fixture.pod, ports: []), Self.names)
                let (data, _) = try await forward(client, 80, 1)
                let pod = await listener.accept()
                let block = (0..<65536).map { UInt8(truncatingIfNeeded: $0 * 31) }
                let sum = Checksum(block, times: 256)
                async let echoed: Checksum = {
                    var sum = Checksum()
                    for _ in 0..<256 {
                        let bytes = await pod.read(65536)
                        sum.add(bytes)
                        await pod.write(bytes)
                    }
                    return sum
                }()
                for _ in 0..<256 { try await data.writeAndWait(block) }
                #expect(await echoed == sum)
                #expect(await data.log.wait { $0.count == 256 * 65536 }.sum == sum)
                await client.close()
                fixture.target.ports.withLock { $0 = [:] }
            }
        }
    }
}
