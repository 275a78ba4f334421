import Foundation
import GRPC
import SwiftProtobuf
import Testing

/// Calls that end early: deadlines, cancellation, lost connections, shutdown.
@Suite struct EndingTests {
    @Test func `a deadline ends the call for the client and cancels the body`() async throws {
        try await TestServer.withClient { server, client in
            try await server.untilBodyRuns { timeout in
                let status = await status { () throws(GRPCStatus) -> Text in
                    try await client.unary("/test.Echo/Hang", Text(), timeout: timeout)
                }
                #expect(status.code == .deadlineExceeded)
            }
            await server.probe.wait(for: "cancelled")
        }
    }

    @Test func `the server keeps a deadline that the client does not`() async throws {
        try await TestServer.withClient { server, client in
            try await server.untilBodyRuns { timeout in
                let milliseconds = timeout.components.attoseconds / 1_000_000_000_000_000
                let metadata = [(name: "grpc-timeout", value: "\(timeout.components.seconds * 1000 + milliseconds)m")]
                let status = await status { () throws(GRPCStatus) -> Text in
                    try await client.unary("/test.Echo/Hang", Text(), metadata: metadata)
                }
                #expect(status == GRPCStatus(code: .deadlineExceeded, message: "the deadline has passed"))
            }
            await server.probe.wait(for: "cancelled")
        }
    }

    @Test func `each call on a connection has its own deadline`() async throws {
        try await TestServer.withClient { server, client in
            func hang(_ timeout: String) async -> GRPCStatus {
                await status { () throws(GRPCStatus) -> Text in
                    try await client.unary(
                        "/test.Echo/Hang", Text(), metadata: [(name: "grpc-timeout", value: timeout)])
                }
            }
            let late = Task { await hang("1H") }
            await server.probe.wait(for: "hanging")
            // Later ones and earlier ones than the timer waits for, and one that is answered in time.
            for timeouts in [["30m", "60m", "10m"], ["20m", "5m", "40m"]] {
                let _: Text = try await client.unary(
                    "/test.Echo/Unary", Text(), metadata: [(name: "grpc-timeout", value: "1S")])
                await withTaskGroup(of: GRPCStatus.self) { group in
                    for timeout in timeouts { group.addTask { await hang(timeout) } }
                    for await status in group { #expect(status.code == .deadlineExceeded) }
                }
            }
            #expect(server.callReports.filter { $0.status.code == .deadlineExceeded }.count == 6)
            late.cancel()
            #expect(await late.value.code == .cancelled)
        }
    }

    @Test(arguments: ["0n", "0H"])
    func `a deadline in the past refuses the call before its body`(timeout: String) async throws {
        try await TestServer.withClient { server, client in
            let status = await status { () throws(GRPCStatus) -> Text in
                try await client.unary("/test.Echo/Hang", Text(), metadata: [(name: "grpc-timeout", value: timeout)])
            }
            #expect(status.code == .deadlineExceeded)
            #expect(server.probe.count("hanging") == 0)
        }
    }

    @Test func `a body knows its deadline`() async throws {
        try await TestServer.withClient { _, client in
            let none: Number = try await client.unary("/test.Echo/Remaining", Text())
            #expect(none.value == -1)
            let some: Number = try await client.unary("/test.Echo/Remaining", Text(), timeout: .seconds(1000))
            #expect((900...1000).contains(some.value))
        }
    }

    @Test func `cancelling the client's task cancels the body`() async throws {
        try await TestServer.withClient { server, client in
            let call = Task {
                await status { () throws(GRPCStatus) -> Text in try await client.unary("/test.Echo/Hang", Text()) }
            }
            await server.probe.wait(for: "hanging")
            call.cancel()
            #expect(await call.value.code == .cancelled)
            await server.probe.wait(for: "cancelled")
            await server.probe.wait(for: "report")
            #expect(server.callReports.map(\.status.code) == [.cancelled])
        }
    }

    @Test func `a call of a cancelled task is not sent`() async throws {
        try await TestServer.withClient { server, client in
            let call = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await status { () throws(GRPCStatus) -> Text in try await client.unary("/test.Echo/Hang", Text())
                }
            }
            #expect(await call.value.code == .cancelled)
            let _: Text = try await client.unary("/test.Echo/Inline", Text())
            #expect(server.probe.count("hanging") == 0)
        }
    }

    @Test func `a lost connection cancels every body on it`() async throws {
        try await TestServer.with { server in
            let client = try await GRPCClient(unixPath: server.path)
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        let status = await status { () throws(GRPCStatus) -> Text in
                            try await client.unary("/test.Echo/Hang", Text())
                        }
                        #expect(status.code == .unavailable)
                    }
                }
                await server.probe.wait(for: "hanging", count: 20)
                await client.close()
            }
            await server.probe.wait(for: "cancelled", count: 20)
        }
    }

    @Test func `a closed client refuses calls`() async throws {
        try await TestServer.with { server in
            let client = try await GRPCClient(unixPath: server.path)
            await client.close()
            await client.close()
            let status = await status { () throws(GRPCStatus) -> Text in
                try await client.unary("/test.Echo/Inline", Text())
            }
            #expect(status == GRPCStatus(code: .unavailable, message: "the client is closed"))
            let stream: ResponseStream<Number> = try client.serverStream("/test.Echo/Count", Number(1))
            let iterator = stream.makeAsyncIterator()
            await #expect(throws: status) { try await iterator.next() }
        }
    }

    @Test func `shutdown lets running calls finish and refuses new ones`() async throws {
        try await TestServer.withClient { server, client in
            let running = Task { try await client.unary("/test.Echo/Finish", Text("done"), as: Text.self) }
            let _: Text = try await client.unary("/test.Echo/BeginShutdown", Text())
            #expect(try await running.value.value == "done")
            // The socket goes as soon as the shutdown begins, so a new client finds none.
            await #expect(throws: ConnectError.self) {
                while true { await (try GRPCClient(unixPath: server.path)).close() }
            }
        }
    }

    @Test func `shutdown ends calls that outlast the grace period`() async throws {
        try await TestServer.withClient { server, client in
            let call = Task {
                await status { () throws(GRPCStatus) -> Text in try await client.unary("/test.Echo/Hang", Text()) }
            }
            await server.probe.wait(for: "hanging")
            #expect(await server.server.shutdown(grace: .milliseconds(20)) == 0)
            #expect(await call.value.code == .unavailable)
            #expect(server.probe.count("cancelled") == 1)
        }
    }

    @Test func `shutdown tells of bodies that ignore their cancellation`() async throws {
        try await TestServer.withClient { server, client in
            let call = Task {
                await status { () throws(GRPCStatus) -> Text in
                    try await client.unary("/test.Echo/AwaitEvent", Text("free 1"))
                }
            }
            await server.probe.wait(for: "awaiting")
            #expect(await server.server.shutdown(grace: .zero) == 1)
            #expect(await call.value.code == .unavailable)
            server.probe.signal("free")
        }
    }
}
