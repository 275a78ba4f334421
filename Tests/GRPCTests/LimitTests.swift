import Foundation
import GRPC
import SwiftProtobuf
import Testing

@Suite struct LimitTests {
    @Test(arguments: [(16 << 20, true), ((16 << 20) + 1, false)])
    func `the server takes requests up to its limit`(bytes: Int, isTaken: Bool) async throws {
        try await TestServer.with { server in
            var configuration = GRPCClientConfiguration()
            configuration.requestBytesMax = 32 << 20
            let client = try await GRPCClient(unixPath: server.path, configuration: configuration)
            // Tag, four bytes of length, and the value.
            let request = Bytes(Data(count: bytes - 5))
            let status = await status { () throws(GRPCStatus) -> Number in
                try await client.unary("/test.Echo/Size", request)
            }
            #expect(status.code == (isTaken ? .ok : .resourceExhausted))
            let _: Text = try await client.unary("/test.Echo/Inline", Text("still here"))
            await client.close()
        }
    }

    @Test(arguments: [(16 << 20, true), ((16 << 20) + 1, false)])
    func `the server sends responses up to its limit`(bytes: Int, isSent: Bool) async throws {
        try await TestServer.withClient { _, client in
            let status = await status { () throws(GRPCStatus) -> Bytes in
                try await client.unary("/test.Echo/Big", Number(Int64(bytes - 5)))
            }
            #expect(status.code == (isSent ? .ok : .resourceExhausted))
            let _: Text = try await client.unary("/test.Echo/Inline", Text("still here"))
        }
    }

    @Test func `the client keeps its own limits`() async throws {
        try await TestServer.with { server in
            var configuration = GRPCClientConfiguration()
            configuration.requestBytesMax = 100
            configuration.responseBytesMax = 100
            let client = try await GRPCClient(unixPath: server.path, configuration: configuration)
            let large = Bytes(Data(count: 100))
            let sent = await status { () throws(GRPCStatus) -> Number in
                try await client.unary("/test.Echo/Size", large)
            }
            #expect(sent.code == .resourceExhausted)
            let got = await status { () throws(GRPCStatus) -> Bytes in
                try await client.unary("/test.Echo/Big", Number(200))
            }
            #expect(got.code == .resourceExhausted)
            let fits: Bytes = try await client.unary("/test.Echo/Big", Number(98))
            #expect(fits.value.count == 98)
            await client.close()
        }
    }

    @Test func `the server's memory for all calls is bounded`() async throws {
        try await TestServer.withClient({ $0.bufferedBytesMax = 100_000 }) { _, client in
            let large = Bytes(Data(count: 100_000))
            let refused = await status { () throws(GRPCStatus) -> Number in
                try await client.unary("/test.Echo/Size", large)
            }
            #expect(refused.code == .resourceExhausted)
            let response = await status { () throws(GRPCStatus) -> Bytes in
                try await client.unary("/test.Echo/Big", Number(100_000))
            }
            #expect(response.code == .resourceExhausted)
            // What a call held is free again after it, a hundred times over.
            for _ in 0..<100 { let _: Bytes = try await client.unary("/test.Echo/Big", Number(90_000)) }
            for _ in 0..<100 { let _: Number = try await client.unary("/test.Echo/Size", Bytes(Data(count: 90_000))) }
            // A stream counts only what has not been taken.
            var count = 0
            for try await _ in try client.serverStream("/test.Echo/Count", Number(20_000), of: Number.self) {
                count += 1
            }
            #expect(count == 20_000)
        }
    }

    @Test func `more bodies than the limit are refused`() async throws {
        try await TestServer.withClient({ $0.runningBodiesMax = 2 }) { server, client in
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        _ = await status { () throws(GRPCStatus) -> Text in
                            try await client.unary("/test.Echo/Hang", Text())
                        }
                    }
                }
                await server.probe.wait(for: "hanging", count: 2)
                let third = await status { () throws(GRPCStatus) -> Text in
                    try await client.unary("/test.Echo/Unary", Text())
                }
                #expect(third.code == .resourceExhausted)
                group.cancelAll()
            }
            await server.probe.wait(for: "cancelled", count: 2)
        }
    }

    @Test func `an idle connection gives way to a new one, a busy one does not`() async throws {
        try await TestServer.with({ $0.connectionsMax = 2 }) { server in
            let idle = try await GRPCClient(unixPath: server.path)
            let busy = try await GRPCClient(unixPath: server.path)
            let _: Text = try await idle.unary("/test.Echo/Inline", Text())
            let hanging = Task {
                await status { () throws(GRPCStatus) -> Text in try await busy.unary("/test.Echo/Hang", Text()) }
            }
            await server.probe.wait(for: "hanging")
            let new = try await GRPCClient(unixPath: server.path)
            let _: Text = try await new.unary("/test.Echo/Inline", Text())
            let evicted = await status { () throws(GRPCStatus) -> Text in
                try await idle.unary("/test.Echo/Inline", Text())
            }
            #expect(evicted.code == .unavailable)
            let _: Text = try await busy.unary("/test.Echo/Inline", Text())
            hanging.cancel()
            #expect(await hanging.value.code == .cancelled)
            for client in [idle, busy, new] { await client.close() }
        }
    }

    @Test func `more calls than the stream limit wait at the client and are answered`() async throws {
        try await TestServer.withClient({ $0.concurrentStreamsMax = 3 }) { _, client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask { let _: Text = try await client.unary("/test.Echo/Unary", Text("\(number)")) }
                }
                try await group.waitForAll()
            }
        }
    }
}
