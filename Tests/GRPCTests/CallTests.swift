import Foundation
import GRPC
import SwiftProtobuf
import Testing

/// Runs a call that must fail and returns its status.
func status<Value>(of call: () async throws(GRPCStatus) -> Value) async -> GRPCStatus {
    do throws(GRPCStatus) {
        _ = try await call()
        return .ok
    } catch {
        return error
    }
}

@Suite struct CallTests {
    @Test(
        arguments: ["/test.Echo/Inline", "/test.Echo/Unary"],
        ["", "x", "käse 🧀", String(repeating: "long ", count: 40_000)])
    func `a unary call returns its response`(path: String, value: String) async throws {
        try await TestServer.withClient { _, client in
            let response: Text = try await client.unary(path, Text(value))
            #expect(response.value == value)
        }
    }

    @Test(arguments: GRPCStatus.Code.allCases.dropFirst())
    func `a body's status reaches the client`(code: GRPCStatus.Code) async throws {
        try await TestServer.withClient { _, client in
            let message = "it broke: 100 % käse\n日本"
            let status = await status { () throws(GRPCStatus) -> Text in
                try await client.unary("/test.Echo/Fail", Text("\(code.rawValue) \(message)"))
            }
            #expect(status == GRPCStatus(code: code, message: message, details: [1, 2, 255]))
        }
    }

    @Test func `other errors become UNKNOWN and an inline status arrives`() async throws {
        try await TestServer.withClient { _, client in
            let thrown = await status { () throws(GRPCStatus) -> Text in
                try await client.unary("/test.Echo/Throw", Text())
            }
            #expect(thrown.code == .unknown)
            let inline = await status { () throws(GRPCStatus) -> Text in
                try await client.unary("/test.Echo/FailInline", Text())
            }
            #expect(inline == GRPCStatus(code: .aborted, message: "inline"))
        }
    }

    @Test(arguments: [
        ("/test.Echo/Nothing", "unknown method \"Nothing\" of service \"test.Echo\""),
        ("/test.Other/Inline", "unknown service \"test.Other\""), ("/nothing", "malformed method name \"/nothing\""),
        ("/a/b/c", "unknown service \"a\""),
    ])
    func `an unknown method is UNIMPLEMENTED`(path: String, message: String) async throws {
        try await TestServer.withClient { _, client in
            let status = await status { () throws(GRPCStatus) -> Text in try await client.unary(path, Text("x")) }
            #expect(status == GRPCStatus(code: .unimplemented, message: message))
        }
    }

    @Test func `bytes that are no message of the type are INTERNAL`() async throws {
        try await TestServer.withClient { _, client in
            // Field 1 of BytesValue is no valid UTF-8, which StringValue demands.
            let status = await status { () throws(GRPCStatus) -> Text in
                try await client.unary("/test.Echo/Inline", Bytes(Data([0xff, 0xfe])))
            }
            #expect(status.code == .internal)
            #expect(status.message.hasPrefix("cannot decode google.protobuf.StringValue"))
        }
    }

    @Test func `headers are readable, binary ones decoded`() async throws {
        try await TestServer.withClient { _, client in
            let metadata = [("x-one", "1"), ("x-two-bin", "AQL/, AwQ="), ("x-two-bin", "BQ"), ("x-bad-bin", "!")]
            for (name, value) in [
                ("x-one", "1"), ("x-two-bin", "[1, 2, 255];[3, 4];[5]"), ("x-bad-bin", ""), ("x-none", ""),
            ] {
                let response: Text = try await client.unary(
                    "/test.Echo/Header", Text(name), metadata: metadata.map { (name: $0.0, value: $0.1) })
                #expect(response.value == value)
            }
        }
    }

    @Test func `the peer's credentials are known`() async throws {
        try await TestServer.withClient { _, client in
            let response: Text = try await client.unary("/test.Echo/Peer", Text())
            #expect(response.value == "\(getpid()) \(geteuid()) \(getegid())")
        }
    }

    @Test func `the gate refuses calls by path`() async throws {
        let closed = GRPCStatus(code: .unavailable, message: "recovering")
        try await TestServer.withClient({ $0.gate = { $0.hasSuffix("Unary") ? closed : nil } }) { _, client in
            let refused = await status { () throws(GRPCStatus) -> Text in
                try await client.unary("/test.Echo/Unary", Text())
            }
            #expect(refused == closed)
            let _: Text = try await client.unary("/test.Echo/Inline", Text())
        }
    }

    @Test func `each call is reported once with its status and size`() async throws {
        try await TestServer.withClient { server, client in
            let _: Text = try await client.unary("/test.Echo/Unary", Text("abc"))
            _ = await status { () throws(GRPCStatus) -> Text in try await client.unary("/test.Echo/FailInline", Text())
            }
            await server.probe.wait(for: "report", count: 2)
            let reports = server.callReports
            #expect(reports.map(\.path) == ["/test.Echo/Unary", "/test.Echo/FailInline"])
            #expect(reports.map(\.status.code) == [.ok, .aborted])
            #expect(reports.map(\.requestBytes) == [10, 5])
            #expect(reports.map(\.responseBytes) == [10, 0])
            #expect(reports.allSatisfy { $0.duration > .zero && $0.peer?.processID == getpid() })
        }
    }

    @Test func `many calls at once are all answered`() async throws {
        try await TestServer.withClient { _, client in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<1500 {
                    group.addTask {
                        let path = number % 2 == 0 ? "/test.Echo/Inline" : "/test.Echo/Unary"
                        let response: Text = try await client.unary(path, Text("\(number)"))
                        return response.value == "\(number)"
                    }
                }
                var answered = 0
                for try await isRight in group where isRight { answered += 1 }
                #expect(answered == 1500)
            }
        }
    }
}
