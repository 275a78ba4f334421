import NIOCore
import NIOSSL
import Streaming
import Testing

@testable import SPDY

/// A connection that was upgraded, and speaks SPDY only as far as the test wants: without SETTINGS, as Go's clients do.
final class RawSPDY {
    let raw: RawClient
    private var encoder: FrameEncoder

    init(_ url: String, _ version: String = "v4.channel.k8s.io", tls: NIOSSLContext? = nil) async throws {
        encoder = try FrameEncoder()
        raw = try await RawClient(url, tls: tls)
        let path = try Target(url).path
        raw.send(
            Array(
                ("POST \(path) HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
                    + "X-Stream-Protocol-Version: \(version)\r\n\r\n").utf8))
        await raw.log.wait { $0.text.contains("\r\n\r\n") || $0.isOver }
    }

    func bytes(_ frame: ControlFrame) -> [UInt8] {
        encoder.encode(frame, ByteBufferAllocator()).map { [UInt8]($0.readableBytesView) } ?? []
    }

    func send(_ frame: ControlFrame) { raw.send(bytes(frame)) }

    /// A stream for each type, from 1 on.
    func open(_ types: [String]) {
        for (index, type) in types.enumerated() {
            send(
                .synStream(
                    id: UInt32(2 * index + 1), headers: ["streamType": type], isLast: false, isUnidirectional: false))
        }
    }

    static func data(_ id: UInt32, _ bytes: [UInt8]) -> [UInt8] {
        let head = FrameEncoder.dataHead(id: id, length: bytes.count, isLast: false, ByteBufferAllocator())
        return [UInt8](head.readableBytesView) + bytes
    }

    /// SYN_STREAM whose headers are `count` MiB of zeros.
    static func bomb(mebibytes count: Int) throws -> [UInt8] {
        var deflater = try HeaderDeflater()
        var block: [UInt8] = []
        for _ in 0..<count { block += deflater.deflate([UInt8](repeating: 0, count: 1 << 20)) }
        let length = block.count + 10
        return [0x80, 3, 0, 1, 0, UInt8(length >> 16), UInt8(length >> 8 & 0xff), UInt8(length & 0xff)]
            + [0, 0, 0, 1, 0, 0, 0, 0, 0, 0] + block
    }
}
