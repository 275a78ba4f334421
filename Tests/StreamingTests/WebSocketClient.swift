import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Streaming
import Synchronization
import Testing

/// A client of WebSocket that can also do everything wrong.
final class WebSocketClient: Sendable {
    /// What a server sent: an opcode and a payload.
    struct Frame: Sendable, Equatable {
        var opcode: UInt8
        var payload: [UInt8]
    }

    let channel: any Channel
    /// The answer to the handshake.
    let head = StreamLog()
    /// One for each channel.
    let logs = (0..<8).map { _ in StreamLog() }
    /// Everything else: `count` is the number of pongs, `bytes` the payload of Close.
    let control = StreamLog()

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer
        let client: WebSocketClient
        var input = ByteBuffer()
        var hasHead = false

        init(_ client: WebSocketClient) { self.client = client }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            input.writeImmutableBuffer(unwrapInboundIn(data))
            if !hasHead {
                let text = String(buffer: input)
                guard let end = text.range(of: "\r\n\r\n") else { return }
                hasHead = true
                let count = text[..<end.upperBound].utf8.count
                client.head.add(input.readSlice(length: count) ?? ByteBuffer())
                client.head.update { $0.isAccepted = true }
            }
            while let frame = next() {
                client.receive(frame)
                // For what is tunneled.
                if frame.opcode == 2 { context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: frame.payload))) }
            }
        }

        /// Frames of a server are whole and not masked.
        private func next() -> Frame? {
            var copy = input
            guard let first = copy.readInteger(as: UInt8.self),
                var length = copy.readInteger(as: UInt8.self).map(Int.init)
            else { return nil }
            if length == 126 {
                guard let long = copy.readInteger(as: UInt16.self) else { return nil }
                length = Int(long)
            } else if length == 127 {
                guard let long = copy.readInteger(as: UInt64.self) else { return nil }
                length = Int(long)
            }
            guard let payload = copy.readBytes(length: length) else { return nil }
            input = copy
            return Frame(opcode: first & 0xf, payload: payload)
        }

        func channelInactive(context: ChannelHandlerContext) { client.end() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    init(_ url: String, _ protocols: String?, extra: String = "", tls: NIOSSLContext? = nil) async throws {
        let target = try Target(url)
        let holder = Mutex<WebSocketClient?>(nil)
        channel = try await ClientBootstrap(group: clientGroup)
            .channelOption(ChannelOptions.autoRead, value: false)
            .connect(host: target.host, port: target.port).get()
        holder.withLock { $0 = self }
        let channel = channel
        try await channel.eventLoop.submit {
            guard let client = holder.withLock({ $0 }) else { return }
            let pipeline = channel.pipeline.syncOperations
            if let tls { try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: nil)) }
            try pipeline.addHandler(Reader(client))
        }.get()
        try await channel.setOption(ChannelOptions.autoRead, value: true).get()
        let names = protocols.map { "Sec-WebSocket-Protocol: \($0)\r\n" } ?? ""
        send(
            Array(
                ("GET \(target.path) HTTP/1.1\r\nHost: \(target.host)\r\nConnection: keep-alive, Upgrade\r\n"
                    + "Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                    + "\(names)\(extra)\r\n").utf8))
        await head.wait { $0.isAccepted || $0.isOver }
    }

    private func receive(_ frame: Frame) {
        switch frame.opcode {
        case 8:
            control.update { content in
                content.bytes = frame.payload
                content.hasEnded = true
            }
        case 10: control.update { $0.count += 1 }
        default:
            guard let first = frame.payload.first else { return }
            let number = Int(first) - (frame.opcode == 1 ? 48 : 0)
            guard logs.indices.contains(number) else { return }
            logs[number].update { $0.isAccepted = true }
            logs[number].add(ByteBuffer(bytes: frame.payload.dropFirst()))
        }
    }

    private func end() {
        for log in logs + [head, control] { log.update { $0.isReset = true } }
    }

    /// The code of the server's Close frame, when it has come or can no longer come.
    func closeCode() async -> UInt16? {
        let content = await control.whole()
        return content.bytes.count == 2 ? UInt16(content.bytes[0]) << 8 | UInt16(content.bytes[1]) : nil
    }

    func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    /// One frame; `length` is what it claims.
    static func frame(
        _ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, isMasked: Bool = true, length: UInt64? = nil
    ) -> [UInt8] {
        var bytes: [UInt8] = [(isFinal ? 0x80 : 0) | opcode]
        let length = length ?? UInt64(payload.count)
        let mask: UInt8 = isMasked ? 0x80 : 0
        if length < 126 {
            bytes.append(mask | UInt8(length))
        } else if length < 65536 {
            bytes += [mask | 126, UInt8(length >> 8), UInt8(length & 0xff)]
        } else {
            bytes.append(mask | 127)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: length >> UInt64(shift)))
            }
        }
        guard isMasked else { return bytes + payload }
        let key: [UInt8] = [0x12, 0x34, 0x56, 0x78]
        return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
    }

    /// A whole binary message on a channel.
    func send(_ bytes: [UInt8], on number: UInt8) { send(Self.frame(2, [number] + bytes)) }
    func send(_ text: String, on number: UInt8) { send(Array(text.utf8), on: number) }

    func close() async {
        send(Self.frame(8, [3, 0xe8]))
        await closed()
    }

    func closed() async { await becomesClosed(channel) }
}
