import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import StreamClient

/// A server of one connection whose bytes a test writes itself.
struct FakeServer: Sendable {
    struct Connection {
        var input: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        var output: NIOAsyncChannelOutboundWriter<ByteBuffer>
        var received = ByteBuffer()

        mutating func receive() async throws {
            guard var more = try await input.next() else { throw StreamError("test: the client has gone") }
            received.writeBuffer(&more)
        }

        /// The head of an HTTP request, as lines.
        mutating func requestHead() async throws -> [String] {
            while true {
                if let end = received.readableBytesView.firstRange(of: [13, 10, 13, 10]) {
                    let length = end.upperBound - received.readerIndex
                    let text = received.readString(length: length) ?? ""
                    return text.split(separator: "\r\n").map(String.init)
                }
                try await receive()
            }
        }

        /// Accepts a WebSocket with this protocol.
        mutating func accept(_ chosen: String) async throws {
            let head = try await requestHead()
            let key =
                head.compactMap { line -> String? in
                    line.hasPrefix("Sec-WebSocket-Key: ") ? String(line.dropFirst(19)) : nil
                }.first ?? ""
            let digest = SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
            try await write(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Accept: \(Data(digest).base64EncodedString())\r\n"
                    + "Sec-WebSocket-Protocol: \(chosen)\r\n\r\n")
        }

        mutating func frame() async throws -> ClientFrame {
            while true {
                if let frame = ClientFrame(&received) { return frame }
                try await receive()
            }
        }

        mutating func expect(_ expected: ClientFrame, sourceLocation: SourceLocation = #_sourceLocation) async throws {
            let frame = try await frame()
            #expect(frame == expected, sourceLocation: sourceLocation)
        }

        func write(_ text: String) async throws { try await output.write(ByteBuffer(string: text)) }

        func send(_ channel: UInt8, _ text: String) async throws {
            var frame = ByteBuffer()
            frame.writeServerFrame(WebSocketOpcode.binary, [channel] + Array(text.utf8))
            try await output.write(frame)
        }
    }

    /// Serves one connection by `script` while `body` uses the URL of the server.
    static func with<Result: Sendable>(
        _ script: @escaping @Sendable (inout Connection) async throws -> Void,
        _ body: @Sendable (StreamURL) async throws -> Result
    ) async throws -> Result {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let port = try #require(server.channel.localAddress?.port)
        async let served: Void = server.executeThenClose { connections in
            for try await connection in connections {
                try await connection.executeThenClose { input, output in
                    var connection = Connection(input: input.makeAsyncIterator(), output: output)
                    try await script(&connection)
                }
                return
            }
        }
        let result = try await body(try StreamURL("http://127.0.0.1:\(port)/exec/token"))
        try await served
        return result
    }
}
