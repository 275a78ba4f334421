import NIOCore

/// Writes frames, compressing headers with the state of its direction.
struct FrameEncoder: ~Copyable {
    private var deflater: HeaderDeflater

    init() throws(SPDYError) { deflater = try HeaderDeflater() }

    /// Nil only for headers that a frame's length cannot express.
    mutating func encode(_ frame: ControlFrame, _ allocator: ByteBufferAllocator) -> ByteBuffer? {
        switch frame {
        case .synStream(let id, let headers, let isLast, let isUnidirectional):
            let flags = flag(isLast) | (isUnidirectional ? FrameFormat.unidirectionalFlag : 0)
            // No associated stream, highest priority, no slot.
            let fields = bigEndian(id) + [0, 0, 0, 0, 0, 0]
            return control(FrameType.synStream, flags, fields + compress(headers), allocator)
        case .synReply(let id, let headers, let isLast):
            return control(FrameType.synReply, flag(isLast), bigEndian(id) + compress(headers), allocator)
        case .headers(let id, let headers, let isLast):
            return control(FrameType.headers, flag(isLast), bigEndian(id) + compress(headers), allocator)
        case .rstStream(let id, let status):
            return control(FrameType.rstStream, 0, bigEndian(id, status.rawValue), allocator)
        case .settings(let settings):
            let fields = settings.flatMap { bigEndian($0.id & 0xff_ffff, $0.value) }
            return control(FrameType.settings, 0, bigEndian(UInt32(clamping: settings.count)) + fields, allocator)
        case .ping(let id): return control(FrameType.ping, 0, bigEndian(id), allocator)
        case .goAway(let lastID, let status):
            return control(FrameType.goAway, 0, bigEndian(lastID, status.rawValue), allocator)
        case .windowUpdate(let id, let delta):
            return control(FrameType.windowUpdate, 0, bigEndian(id, delta), allocator)
        }
    }

    /// What goes before `length` bytes of a stream.
    static func dataHead(id: UInt32, length: Int, isLast: Bool, _ allocator: ByteBufferAllocator) -> ByteBuffer {
        var head = allocator.buffer(capacity: FrameFormat.headBytes)
        head.writeInteger(id & FrameFormat.streamIDMax)
        head.writeInteger(UInt32(isLast ? FrameFormat.finalFlag : 0) << 24 | UInt32(clamping: length))
        return head
    }

    private mutating func compress(_ headers: SPDYHeaders) -> [UInt8] { deflater.deflate(HeaderBlock.encode(headers)) }

    private func control(_ type: UInt16, _ flags: UInt8, _ body: [UInt8], _ allocator: ByteBufferAllocator)
        -> ByteBuffer?
    {
        guard body.count <= FrameFormat.dataBytesMax else { return nil }
        var buffer = allocator.buffer(capacity: FrameFormat.headBytes + body.count)
        buffer.writeInteger(0x8000 | FrameFormat.version)
        buffer.writeInteger(type)
        buffer.writeInteger(UInt32(flags) << 24 | UInt32(body.count))
        buffer.writeBytes(body)
        return buffer
    }

    private func flag(_ isLast: Bool) -> UInt8 { isLast ? FrameFormat.finalFlag : 0 }

    private func bigEndian(_ numbers: UInt32...) -> [UInt8] {
        numbers.flatMap { number in
            [24, 16, 8, 0].map { (shift: UInt32) in UInt8(truncatingIfNeeded: number >> shift) }
        }
    }
}
