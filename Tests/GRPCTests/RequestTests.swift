import Foundation
import GRPC
import SwiftProtobuf
import Testing

/// Frames of one request on stream 1 of a fresh connection, and what must come back.
struct RawRequest: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var frames: @Sendable () -> [RawFrame]
    var expected: [String: String]

    private static let echo = "/test.Echo/Inline"
    /// StringValue("abc").
    private static let abc = RawFrame.message([0x0a, 3] + Array("abc".utf8))

    private static func head(
        _ more: (String, String)..., method: String = "POST", contentType: String = "application/grpc"
    )
        -> RawFrame
    {
        RawFrame.request(1, RawFrame.requestHeaders(echo, method: method, contentType: contentType, more: more))
    }

    static let all: [RawRequest] = [
        RawRequest(
            testDescription: "whole message in one frame", frames: { [head(), RawFrame.data(1, abc)] },
            expected: [":status": "200", "grpc-status": "0"]),
        RawRequest(
            testDescription: "one byte a frame, then an empty last frame",
            frames: { [head()] + abc.map { RawFrame.data(1, [$0], endStream: false) } + [RawFrame.data(1, [])] },
            expected: ["grpc-status": "0"]),
        RawRequest(
            testDescription: "padding",
            frames: {
                [
                    head(),
                    RawFrame(.data, flags: RawFrame.endStream | RawFrame.padded, stream: 1, [3] + abc + [0, 0, 0]),
                ]
            },
            expected: ["grpc-status": "0"]),
        RawRequest(
            testDescription: "trailers end the request",
            frames: {
                [head(), RawFrame.data(1, abc, endStream: false), RawFrame.request(1, [("x", "y")], endStream: true)]
            }, expected: ["grpc-status": "0"]),
        RawRequest(
            testDescription: "headers in several frames",
            frames: {
                let block = head().payload
                return [
                    RawFrame(.headers, stream: 1, Array(block.prefix(10))),
                    RawFrame(.continuation, stream: 1, Array(block[10..<30])),
                    RawFrame(.continuation, flags: RawFrame.endHeaders, stream: 1, Array(block.dropFirst(30))),
                    RawFrame.data(1, abc),
                ]
            }, expected: ["grpc-status": "0"]),
        RawRequest(
            testDescription: "unknown frame types are ignored",
            frames: { [head(), RawFrame(kind: 77, flags: 255, stream: 1, payload: [1, 2]), RawFrame.data(1, abc)] },
            expected: ["grpc-status": "0"]),
        RawRequest(
            testDescription: "identity encoding and content type with parameters",
            frames: {
                [head(("grpc-encoding", "identity"), contentType: "application/grpc+proto;x=y"), RawFrame.data(1, abc)]
            }, expected: ["grpc-status": "0"]),
        RawRequest(
            testDescription: "two messages in one frame", frames: { [head(), RawFrame.data(1, abc + abc)] },
            expected: ["grpc-status": "12", "grpc-message": "more than one request message"]),
        RawRequest(
            testDescription: "a second message later",
            frames: { [head(), RawFrame.data(1, abc, endStream: false), RawFrame.data(1, abc)] },
            expected: ["grpc-status": "12"]),
        RawRequest(
            testDescription: "no message", frames: { [head(), RawFrame.data(1, [])] },
            expected: ["grpc-status": "12", "grpc-message": "no request message"]),
        RawRequest(
            testDescription: "no DATA at all",
            frames: { [RawFrame.request(1, RawFrame.requestHeaders(echo), endStream: true)] },
            expected: ["grpc-status": "12"]),
        RawRequest(
            testDescription: "half a prefix", frames: { [head(), RawFrame.data(1, [0, 0])] },
            expected: ["grpc-status": "13", "grpc-message": "truncated request message"]),
        RawRequest(
            testDescription: "half a message", frames: { [head(), RawFrame.data(1, abc.dropLast())] },
            expected: ["grpc-status": "13"]),
        RawRequest(
            testDescription: "2 GiB claimed",
            frames: { [head(), RawFrame.data(1, RawFrame.message([1], claiming: 1 << 31), endStream: false)] },
            expected: ["grpc-status": "8"]),
        RawRequest(
            testDescription: "4 GiB claimed",
            frames: { [head(), RawFrame.data(1, RawFrame.message([1], claiming: .max))] },
            expected: ["grpc-status": "8"]),
        RawRequest(
            testDescription: "a byte more than the limit claimed",
            frames: { [head(), RawFrame.data(1, RawFrame.message([], claiming: (16 << 20) + 1), endStream: false)] },
            expected: [
                "grpc-status": "8", "grpc-message": "message of 16777217 bytes exceeds the limit of 16777216",
            ]),
        RawRequest(
            testDescription: "compressed flag", frames: { [head(), RawFrame.data(1, RawFrame.message([1], flag: 1))] },
            expected: ["grpc-status": "13"]),
        RawRequest(
            testDescription: "gzip",
            frames: { [head(("grpc-encoding", "gzip")), RawFrame.data(1, RawFrame.message([1], flag: 1))] },
            expected: [":status": "200", "grpc-status": "12", "grpc-accept-encoding": "identity"]),
        RawRequest(
            testDescription: "no protobuf", frames: { [head(), RawFrame.data(1, RawFrame.message([0xff, 0xff]))] },
            expected: ["grpc-status": "13"]),
        RawRequest(
            testDescription: "length beyond the message",
            frames: { [head(), RawFrame.data(1, RawFrame.message([0x0a, 0xff, 0xff, 0xff, 0xff, 0x07]))] },
            expected: ["grpc-status": "13"]),
        RawRequest(
            testDescription: "groups nested beyond all depth",
            frames: { [head(), RawFrame.data(1, RawFrame.message([UInt8](repeating: 0x1b, count: 10_000)))] },
            expected: ["grpc-status": "13"]),
        RawRequest(
            testDescription: "ten thousand unknown fields",
            frames: { [head(), RawFrame.data(1, RawFrame.message((0..<5000).flatMap { _ in [0x18, 1] }))] },
            expected: ["grpc-status": "0"]),
        RawRequest(
            testDescription: "GET", frames: { [head(method: "GET"), RawFrame.data(1, abc)] },
            expected: [":status": "405", "grpc-status": "13"]),
        RawRequest(
            testDescription: "JSON", frames: { [head(contentType: "application/json"), RawFrame.data(1, abc)] },
            expected: [":status": "415", "grpc-status": "3"]),
        RawRequest(
            testDescription: "gRPC-Web",
            frames: { [head(contentType: "application/grpc-web"), RawFrame.data(1, abc)] },
            expected: [":status": "415"]),
        RawRequest(
            testDescription: "another codec",
            frames: { [head(contentType: "application/grpc+json"), RawFrame.data(1, abc)] },
            expected: [":status": "200", "grpc-status": "12"]),
        RawRequest(
            testDescription: "malformed timeout", frames: { [head(("grpc-timeout", "1 s")), RawFrame.data(1, abc)] },
            expected: [":status": "400", "grpc-status": "13"]),
    ]
}

@Suite(.timeLimit(.minutes(10))) struct RequestTests {
    @Test(arguments: RawRequest.all, [false, true])
    func `a request in whatever frames gets its answer`(request: RawRequest, isByteByByte: Bool) async throws {
        try await TestServer.with { server in
            let raw = try await RawConnection(server.path)
            let bytes = RawFrame.opening + request.frames().flatMap(\.bytes)
            if isByteByByte, bytes.count < 1000 {
                for byte in bytes { raw.send([byte]) }
            } else {
                raw.send(bytes)
            }
            let response = try #require(await raw.response(of: 1))
            for (name, value) in request.expected { #expect(response[name] == value, "\(name)") }
            // The connection is as good as before.
            raw.send([RawFrame.call(3, "/test.Echo/Inline"), RawFrame.data(3, RawFrame.message([]))])
            #expect(try await raw.response(of: 3)?["grpc-status"] == "0")
            await raw.close()
            try await expectHealthy(server)
        }
    }

    @Test func `an answer before the end of the request stops the client`() async throws {
        try await TestServer.with { server in
            let raw = try await RawConnection(server.path)
            raw.send(RawFrame.opening)
            raw.send([RawFrame.call(1, "/test.Nothing/Here"), RawFrame.data(1, [0], endStream: false)])
            #expect(try await raw.response(of: 1)?["grpc-status"] == "12")
            // RST_STREAM with NO_ERROR (RFC 9113, 8.1); what was under way to the stream is ignored.
            raw.send([RawFrame.data(1, [0, 0, 0, 1], endStream: false), RawFrame.data(1, [1])])
            #expect(try await raw.response(of: 1)?["reset"] == "0")
            await raw.close()
            try await expectHealthy(server)
        }
    }

    @Test(arguments: 0...4)
    func `a reset at any stage ends the call`(stage: Int) async throws {
        try await TestServer.with { server in
            let raw = try await RawConnection(server.path)
            let message = RawFrame.message([0x0a, 1, 0x61])
            let stages: [[RawFrame]] = [
                [RawFrame.call(1, "/test.Echo/Hang")],
                [RawFrame.data(1, Array(message.prefix(3)), endStream: false)],
                [RawFrame.data(1, Array(message.dropFirst(3)), endStream: false)],
                [RawFrame.data(1, [])],
            ]
            raw.send(RawFrame.opening)
            for frames in stages.prefix(stage) { raw.send(frames) }
            if stage == stages.count { await server.probe.wait(for: "hanging") }
            if stage > 0 { raw.send([RawFrame(.reset, stream: 1, [0, 0, 0, 8])]) }
            raw.send([RawFrame.call(3, "/test.Echo/Inline"), RawFrame.data(3, RawFrame.message([]))])
            #expect(try await raw.response(of: 3)?["grpc-status"] == "0")
            if stage == stages.count { await server.probe.wait(for: "cancelled") }
            if stage > 0 { #expect(server.callReports.contains { $0.status.code == .cancelled }) }
            await raw.close()
            try await expectHealthy(server)
        }
    }

    @Test func `keepalive pings are answered`() async throws {
        try await TestServer.with { server in
            let raw = try await RawConnection(server.path)
            raw.send(RawFrame.opening)
            for number in UInt8(0)..<100 {
                raw.send([RawFrame(.ping, [number, 0, 0, 0, 0, 0, 0, 0])])
                var answer: RawFrame?
                repeat {
                    answer = await raw.next()
                } while answer.map { $0.kind != RawFrame.Kind.ping.rawValue } ?? false
                #expect(answer?.payload.first == number)
                #expect(answer?.flags == RawFrame.ack)
            }
            await raw.close()
        }
    }

    @Test func `a busy client may ping with every call`() async throws {
        try await TestServer.with { server in
            let raw = try await RawConnection(server.path)
            raw.send(RawFrame.opening)
            let ping = RawFrame(.ping, [0, 0, 0, 0, 0, 0, 0, 0])
            for number in UInt32(0)..<600 {
                let stream = number * 2 + 1
                raw.send([
                    RawFrame.call(stream, "/test.Echo/Inline"), RawFrame.data(stream, RawFrame.message([])), ping, ping,
                    ping, ping, ping,
                ])
                #expect(try await raw.response(of: stream)?["grpc-status"] == "0")
            }
            await raw.close()
        }
    }
}
