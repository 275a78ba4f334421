import NIOCore

/// Makes frames out of bytes that arrive in any pieces. After an error it must not be used again.
struct FrameDecoder: ~Copyable {
    /// What the bytes say next.
    enum Event: Equatable {
        case control(ControlFrame)
        /// A part of a DATA frame, as much as has arrived; the frame's FIN comes with its last part.
        case data(id: UInt32, bytes: ByteBuffer, isLast: Bool)
    }

    private struct OpenData {
        var id: UInt32
        var missing: Int
        var isLast: Bool
    }

    private let limits: SPDYLimits
    private var inflater: HeaderInflater
    private var input = ByteBuffer()
    /// The DATA frame whose bytes are arriving.
    private var openData: OpenData?

    init(limits: SPDYLimits) throws(SPDYError) {
        self.limits = limits
        inflater = try HeaderInflater()
    }

    mutating func append(_ bytes: ByteBuffer) {
        if input.readableBytes == 0 {
            input = bytes
        } else {
            input.discardReadBytes()
            input.writeImmutableBuffer(bytes)
        }
    }

    /// Nil when more bytes are needed.
    mutating func next() throws(SPDYError) -> Event? {
        while true {
            if let data = openData { return takeData(data) }
            guard let first = input.getInteger(at: input.readerIndex, as: UInt32.self),
                let second = input.getInteger(at: input.readerIndex + 4, as: UInt32.self)
            else { return nil }
            let flags = UInt8(second >> 24)
            let length = Int(second & 0xff_ffff)
            if first >> 31 == 0 {
                guard first != 0 else { throw SPDYError("DATA names no stream") }
                input.moveReaderIndex(forwardBy: FrameFormat.headBytes)
                let data = OpenData(id: first, missing: length, isLast: flags & FrameFormat.finalFlag != 0)
                openData = data
                // An empty frame is an event of its own: it may carry the FIN.
                if length == 0 { return takeData(data) }
                continue
            }
            guard UInt16(truncatingIfNeeded: first >> 16) & 0x7fff == FrameFormat.version else {
                throw SPDYError("frame is of SPDY version \(first >> 16 & 0x7fff)")
            }
            guard length <= limits.controlFrameBytesMax else {
                throw SPDYError("control frame of \(length) bytes, of \(limits.controlFrameBytesMax) allowed")
            }
            guard input.readableBytes >= FrameFormat.headBytes + length else { return nil }
            input.moveReaderIndex(forwardBy: FrameFormat.headBytes)
            let body = input.readBytes(length: length) ?? []
            // A type that is not known is to be ignored (SPDY/3, 2.2.1).
            if let frame = try control(UInt16(truncatingIfNeeded: first), flags, body[...]) { return .control(frame) }
        }
    }

    private mutating func takeData(_ data: OpenData) -> Event? {
        let count = min(data.missing, input.readableBytes)
        guard count > 0 || data.missing == 0 else { return nil }
        let bytes = input.readSlice(length: count) ?? ByteBuffer()
        let isComplete = count == data.missing
        openData = isComplete ? nil : OpenData(id: data.id, missing: data.missing - count, isLast: data.isLast)
        return .data(id: data.id, bytes: bytes, isLast: isComplete && data.isLast)
    }

    private mutating func control(
        _ type: UInt16, _ flags: UInt8, _ body: ArraySlice<UInt8>
    ) throws(SPDYError) -> ControlFrame? {
        var body = body
        let isLast = flags & FrameFormat.finalFlag != 0
        switch type {
        case FrameType.synStream:
            let id = try takeStreamID(&body)
            guard body.count >= 6 else { throw SPDYError("SYN_STREAM is cut off") }
            return .synStream(
                id: id, headers: try headers(body.dropFirst(6)), isLast: isLast,
                isUnidirectional: flags & FrameFormat.unidirectionalFlag != 0)
        case FrameType.synReply:
            return .synReply(id: try takeStreamID(&body), headers: try headers(body), isLast: isLast)
        case FrameType.headers:
            return .headers(id: try takeStreamID(&body), headers: try headers(body), isLast: isLast)
        case FrameType.rstStream:
            try check(body, is: 8, "RST_STREAM")
            return .rstStream(id: try takeStreamID(&body), status: .init(rawValue: try takeNumber(&body)))
        case FrameType.settings: return .settings(try settings(&body))
        case FrameType.ping:
            try check(body, is: 4, "PING")
            return .ping(try takeNumber(&body))
        case FrameType.goAway:
            try check(body, is: 8, "GOAWAY")
            let lastID = try takeNumber(&body) & FrameFormat.streamIDMax
            return .goAway(lastID: lastID, status: .init(rawValue: try takeNumber(&body)))
        case FrameType.windowUpdate:
            try check(body, is: 8, "WINDOW_UPDATE")
            // Zero is the session (SPDY/3.1).
            let id = try takeNumber(&body) & FrameFormat.streamIDMax
            return .windowUpdate(id: id, delta: try takeNumber(&body) & FrameFormat.streamIDMax)
        default: return nil
        }
    }

    private func settings(_ body: inout ArraySlice<UInt8>) throws(SPDYError) -> [ControlFrame.Setting] {
        let count = Int(try takeNumber(&body))
        guard count <= limits.settingsMax else {
            throw SPDYError("SETTINGS has \(count) entries, of \(limits.settingsMax) allowed")
        }
        try check(body, is: 8 * count, "SETTINGS")
        var settings: [ControlFrame.Setting] = []
        for _ in 0..<count {
            // The upper byte has flags that concern only who keeps settings.
            let id = try takeNumber(&body) & 0xff_ffff
            settings.append(.init(id: id, value: try takeNumber(&body)))
        }
        return settings
    }

    private mutating func headers(_ block: ArraySlice<UInt8>) throws(SPDYError) -> SPDYHeaders {
        let bytes = try inflater.inflate([UInt8](block), max: limits.headerBytesMax)
        return try HeaderBlock.decode(bytes, headersMax: limits.headersMax)
    }

    private func takeStreamID(_ body: inout ArraySlice<UInt8>) throws(SPDYError) -> UInt32 {
        let id = try takeNumber(&body) & FrameFormat.streamIDMax
        guard id != 0 else { throw SPDYError("frame names no stream") }
        return id
    }

    private func takeNumber(_ body: inout ArraySlice<UInt8>) throws(SPDYError) -> UInt32 {
        guard body.count >= 4 else { throw SPDYError("control frame is cut off") }
        let number = body.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        body = body.dropFirst(4)
        return number
    }

    private func check(_ body: ArraySlice<UInt8>, is count: Int, _ type: String) throws(SPDYError) {
        guard body.count == count else { throw SPDYError("\(type) has \(body.count) bytes instead of \(count)") }
    }
}
