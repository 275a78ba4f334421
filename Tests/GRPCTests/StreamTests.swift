import Foundation
import GRPC
import SwiftProtobuf
import Testing

@Suite struct StreamTests {
    @Test(arguments: [0, 1, 1000])
    func `a stream's messages arrive in order`(count: Int64) async throws {
        try await TestServer.withClient { _, client in
            var numbers: [Int64] = []
            for try await number in try client.serverStream("/test.Echo/Count", Number(count), of: Number.self) {
                numbers.append(number.value)
            }
            #expect(numbers == Array(0..<count))
        }
    }

    @Test(arguments: [0, 1, 100])
    func `a stream's status comes after its messages`(count: Int64) async throws {
        try await TestServer.withClient { _, client in
            var numbers = 0
            let failure = GRPCStatus(code: .dataLoss, message: "enough")
            await #expect(throws: failure) {
                for try await _ in try client.serverStream("/test.Echo/CountAndFail", Number(count), of: Number.self) {
                    numbers += 1
                }
            }
            #expect(numbers == count)
        }
    }

    @Test func `an unknown stream is UNIMPLEMENTED`() async throws {
        try await TestServer.withClient { _, client in
            let stream: ResponseStream<Number> = try client.serverStream("/test.Echo/Nothing", Number(1))
            let status = await status { () throws(GRPCStatus) -> Number? in try await stream.makeAsyncIterator().next()
            }
            #expect(status.code == .unimplemented)
        }
    }

    @Test func `a writer waits for a reader that does not read`() async throws {
        try await TestServer.withClient { server, client in
            let stream: ResponseStream<Bytes> = try client.serverStream("/test.Echo/Flood", Text())
            let iterator = stream.makeAsyncIterator()
            _ = try await iterator.next()
            // The loop of the server turns many times while nobody reads, yet the writer gets no further than the
            // windows.
            for _ in 0..<300 { let _: Text = try await client.unary("/test.Echo/Unary", Text()) }
            let written = server.probe.count("flooded")
            #expect(written < 100)
            for _ in 0..<1000 { _ = try await iterator.next() }
            #expect(server.probe.count("flooded") >= 1000)
        }
    }

    @Test func `leaving the loop ends the stream on the server`() async throws {
        try await TestServer.withClient { server, client in
            for try await _ in try client.serverStream("/test.Echo/Flood", Text(), of: Bytes.self) { break }
            await server.probe.wait(for: "flood")
        }
    }

    @Test func `cancelling the reader ends the stream on the server`() async throws {
        try await TestServer.withClient { server, client in
            let reader = Task {
                await status { () throws(GRPCStatus) -> Text? in
                    let stream: ResponseStream<Text> = try client.serverStream("/test.Echo/Subscribe", Text())
                    return try await stream.makeAsyncIterator().next()
                }
            }
            await server.probe.wait(for: "hanging")
            reader.cancel()
            #expect(await reader.value.code == .cancelled)
            await server.probe.wait(for: "cancelled")
        }
    }

    @Test func `a deadline ends a stream`() async throws {
        try await TestServer.withClient { server, client in
            try await server.untilBodyRuns { timeout in
                let stream: ResponseStream<Text> = try client.serverStream(
                    "/test.Echo/Subscribe", Text(), timeout: timeout)
                let status = await status { () throws(GRPCStatus) -> Text? in
                    try await stream.makeAsyncIterator().next()
                }
                #expect(status.code == .deadlineExceeded)
            }
            await server.probe.wait(for: "cancelled")
        }
    }

    @Test func `a client that never reads loses its stream after the stall timeout`() async throws {
        try await TestServer.withClient({ $0.stallTimeout = .milliseconds(100) }) { server, client in
            let stream: ResponseStream<Bytes> = try client.serverStream("/test.Echo/Flood", Text())
            let iterator = stream.makeAsyncIterator()
            _ = try await iterator.next()
            await server.probe.wait(for: "flood")
            // The connection is as good as before.
            let _: Text = try await client.unary("/test.Echo/Inline", Text())
            withExtendedLifetime(iterator) {}
        }
    }

    @Test func `a subscription that is silent for long is no stall`() async throws {
        try await TestServer.withClient({ $0.stallTimeout = .milliseconds(20) }) { server, client in
            let stream: ResponseStream<Text> = try client.serverStream("/test.Echo/Subscribe", Text())
            await server.probe.wait(for: "hanging")
            // Longer than several stall timeouts on the server's own clock.
            let late = await status { () throws(GRPCStatus) -> Text in
                try await client.unary("/test.Echo/AwaitEvent", Text("never 1"), timeout: .milliseconds(200))
            }
            #expect(late.code == .deadlineExceeded)
            #expect(server.probe.count("cancelled") == 0)
            server.probe.signal("never")
            withExtendedLifetime(stream) {}
        }
    }

    /// What is left undone on an event loop that has stopped is a fatal error under SWIFTNIO_STRICT (scripts/run-tests).
    @Test func `a stream may outlive its client`() async throws {
        try await TestServer.withClient { server, client in
            for isRead in [true, false] {
                let other = try await GRPCClient(unixPath: server.path)
                let stream: ResponseStream<Bytes> = try other.serverStream("/test.Echo/Flood", Text())
                let iterator = stream.makeAsyncIterator()
                if isRead { _ = try await iterator.next() }
                await other.close()
                // What had come is still there, then the end; making room asks a loop for more that is no more.
                let end = await status { () throws(GRPCStatus) -> Text? in
                    while try await iterator.next() != nil {}
                    return nil
                }
                #expect(end.code == .unavailable)
            }
        }
    }
}
