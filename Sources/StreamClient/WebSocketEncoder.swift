import NIOCore

/// Frames of a client (RFC 6455, 5).
enum WebSocketEncoder {
    private static let headBytesMax = 14

    /// A whole message or a control frame. The channel's number, where there is one, stands before the payload.
    static func frame(
        _ opcode: UInt8, channel: UInt8? = nil, _ payload: ByteBuffer, key: UInt32, _ allocator: ByteBufferAllocator
    ) -> ByteBuffer {
        let length = payload.readableBytes + (channel == nil ? 0 : 1)
        var frame = allocator.buffer(capacity: headBytesMax + length)
        frame.writeInteger(0x80 | opcode)
        switch length {
        case ..<126: frame.writeInteger(0x80 | UInt8(truncatingIfNeeded: length))
        case ..<65536:
            frame.writeInteger(0x80 | 126 as UInt8)
            frame.writeInteger(UInt16(truncatingIfNeeded: length))
        default:
            frame.writeInteger(0x80 | 127 as UInt8)
            frame.writeInteger(UInt64(length))
        }
        frame.writeInteger(key)
        let start = frame.writerIndex
        if let channel { frame.writeInteger(channel) }
        frame.writeImmutableBuffer(payload)
        mask(&frame, from: start, key: key)
        return frame
    }

    /// Masks what a client sends (5.3), eight bytes at a time.
    private static func mask(_ frame: inout ByteBuffer, from start: Int, key: UInt32) {
        let wide = UInt64(key) << 32 | UInt64(key)
        var index = start
        while let word = frame.getInteger(at: index, as: UInt64.self) {
            frame.setInteger(word ^ wide, at: index)
            index += 8
        }
        var shift: UInt32 = 24
        while let byte = frame.getInteger(at: index, as: UInt8.self) {
            frame.setInteger(byte ^ UInt8(truncatingIfNeeded: key >> (shift % 32)), at: index)
            shift = shift == 0 ? 24 : shift - 8
            index += 1
        }
    }
}
