import NIOCore
import Testing

@testable import StreamClient

@Suite(.timeLimit(.minutes(1))) struct RemoteCommandTests {
    private static let all = RemoteStreams(stdin: true, stdout: true, stderr: true, tty: false)
    private static let websocket = StreamOptions(transport: .websocket)

    /// Everything that a command writes, and how it ends.
    private func drain(_ command: RemoteCommand) async throws -> (out: String, err: String, outcome: RemoteOutcome) {
        var out: [UInt8] = []
        var err: [UInt8] = []
        while let piece = await command.next() {
            switch piece {
            case .stdout(let bytes): out += bytes
            case .stderr(let bytes): err += bytes
            }
        }
        let outcome = try command.outcome()
        return (String(decoding: out, as: UTF8.self), String(decoding: err, as: UTF8.self), outcome)
    }

    @Test("over WebSocket v5, streams stay apart, input and its end arrive, the exit code comes back")
    func v5() async throws {
        let result = try await FakeServer.with { connection in
            try await connection.accept("v5.channel.k8s.io")
            // As servers of Go begin: an empty message for each channel.
            try await connection.send(1, "")
            try await connection.send(1, "prompt")
            try await connection.expect(ClientFrame(opcode: 2, payload: [0] + Array("input".utf8)))
            try await connection.expect(ClientFrame(opcode: 2, payload: [255, 0]))
            try await connection.expect(
                ClientFrame(opcode: 2, payload: [4] + Array(#"{"Width":132,"Height":43}"#.utf8) + [10]))
            try await connection.send(2, "warned")
            try await connection.send(255, "\u{1}")
            try await connection.send(
                3,
                #"{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}"#
            )
        } _: { url in
            let command = try await RemoteCommand.open(url, Self.all, Self.websocket)
            #expect(await command.next() == .stdout(Array("prompt".utf8)))
            try await command.send(Array("input".utf8))
            #expect(await command.endInput())
            command.resize(rows: 43, columns: 132)
            return try await drain(command)
        }
        #expect(result == ("", "warned", .exited(3)))
    }

    @Test("over WebSocket v4 the end of input cannot be told, and pings are answered")
    func v4() async throws {
        let result = try await FakeServer.with { connection in
            try await connection.accept("v4.channel.k8s.io")
            var ping = ByteBuffer()
            ping.writeServerFrame(WebSocketOpcode.ping, [7])
            try await connection.output.write(ping)
            try await connection.expect(ClientFrame(opcode: WebSocketOpcode.pong, payload: [7]))
            try await connection.send(1, "out")
            try await connection.send(3, #"{"status":"Success"}"#)
            var close = ByteBuffer()
            close.writeServerFrame(WebSocketOpcode.close, [3, 232])
            try await connection.output.write(close)
            try await connection.expect(ClientFrame(opcode: WebSocketOpcode.close, payload: [3, 232]))
        } _: { url in
            let command = try await RemoteCommand.open(url, Self.all, Self.websocket)
            #expect(await !command.endInput())
            return try await drain(command)
        }
        #expect(result == ("out", "", .exited(0)))
    }

    struct Ending: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var says: String
        var script: @Sendable (inout FakeServer.Connection) async throws -> Void
    }

    static let endings = [
        Ending(testDescription: "no status", says: "before the command's end") {
            try await $0.accept("v4.channel.k8s.io")
            try await $0.send(1, "x")
        },
        Ending(testDescription: "a reason", says: "gone fishing") {
            try await $0.accept("v4.channel.k8s.io")
            var close = ByteBuffer()
            close.writeServerFrame(WebSocketOpcode.close, [3, 243] + Array("gone fishing".utf8))
            try await $0.output.write(close)
        },
        Ending(testDescription: "a status without end", says: "has no end") {
            try await $0.accept("v4.channel.k8s.io")
            try await $0.send(3, String(repeating: " ", count: 70_000))
            _ = try await $0.frame()
        },
        Ending(testDescription: "text", says: "sends text") {
            try await $0.accept("v4.channel.k8s.io")
            var text = ByteBuffer()
            text.writeServerFrame(WebSocketOpcode.text, [65])
            try await $0.output.write(text)
            do { while true { try await $0.receive() } } catch is StreamError { return }
        },
    ]

    @Test("a server that does not end as it should is said in a sentence", arguments: endings)
    func badEndings(ending: Ending) async throws {
        try await FakeServer.with(ending.script) { url in
            let command = try await RemoteCommand.open(url, Self.all, Self.websocket)
            let error = await #expect(throws: StreamError.self) { try await drain(command) }
            #expect(error?.description.contains(ending.says) == true, "\(error?.description ?? "")")
        }
    }

    static let answers: [(String, String)] = [
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\n\r\nno such tokn", "404: no such tokn"),
        ("HTTP/1.1 403 Forbidden\r\n\r\nlater", "403: later"), ("HTTP/1.1 500 X\r\nContent-Length: -5\r\n\r\n", "500"),
        ("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: wrong\r\n\r\n", "does not accept WebSocket"),
        ("SSH-2.0-x\r\n\r\n", "does not answer with HTTP"), ("HTTP/1.1", "closed the connection"),
        ("HTTP/1.1 101 X\r\n" + String(repeating: "a: b\r\n", count: 20_000), "no end"),
    ]

    @Test(
        "a server that refuses the upgrade, or answers nonsense, is said in a sentence without the token",
        arguments: answers, [StreamOptions.Transport.websocket, .spdy])
    func refusals(answer: (String, String), transport: StreamOptions.Transport) async throws {
        try await FakeServer.with { connection in
            _ = try await connection.requestHead()
            try await connection.write(answer.0)
        } _: { url in
            let error = await #expect(throws: StreamError.self) {
                try await RemoteCommand.open(url, Self.all, StreamOptions(transport: transport))
            }
            let text = error?.description ?? ""
            #expect(!text.contains("token"))
            if transport == .websocket { #expect(text.contains(answer.1), "\(text)") }
        }
    }

    @Test("a protocol that was not offered is refused", arguments: [StreamOptions.Transport.websocket, .spdy])
    func unofferedProtocol(transport: StreamOptions.Transport) async throws {
        try await FakeServer.with { connection in
            if transport == .websocket { return try await connection.accept("v1.channel.k8s.io") }
            _ = try await connection.requestHead()
            try await connection.write(
                "HTTP/1.1 101 X\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\nX-Stream-Protocol-Version: v1\r\n\r\n")
        } _: { url in
            let error = await #expect(throws: StreamError.self) {
                try await RemoteCommand.open(url, Self.all, StreamOptions(transport: transport))
            }
            #expect(error?.description.contains("not offered") == true)
        }
    }

    @Test("nobody listening is said with the address")
    func nobody() async throws {
        let error = await #expect(throws: StreamError.self) {
            try await RemoteCommand.open(StreamURL("http://127.0.0.1:1/token"), Self.all, Self.websocket)
        }
        #expect(error?.description.contains("127.0.0.1:1") == true)
        #expect(error?.description.contains("token") == false)
    }

    @Test("closing frees who waits for output, and who waits for the server to take input")
    func closing() async throws {
        let (isBlocked, blocked) = AsyncStream.makeStream(of: Void.self)
        try await FakeServer.with { connection in
            try await connection.accept("v5.channel.k8s.io")
            // Takes nothing until the client has gone.
            for await _ in isBlocked { return }
        } _: { url in
            let command = try await RemoteCommand.open(url, Self.all, Self.websocket)
            async let output = command.next()
            let sending = Task { while true { try await command.send([UInt8](repeating: 0, count: 1 << 20)) } }
            command.close()
            #expect(await output == nil)
            await #expect(throws: StreamError.self) { try await sending.value }
            blocked.yield()
        }
    }
}
