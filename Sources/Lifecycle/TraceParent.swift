/// A caller's place in a distributed trace (W3C Trace Context, `traceparent`), under which the spans of its call belong.
package struct TraceParent: Sendable, Equatable {
    /// 16 bytes, not all zero.
    package let traceID: [UInt8]
    /// 8 bytes, not all zero.
    package let spanID: [UInt8]
    package let flags: UInt8
    /// What the callers' systems passed along (`tracestate`); empty for none.
    package let state: String

    /// The caller records its trace, and expects the same of us.
    package var isSampled: Bool { flags & 1 != 0 }

    /// The caller of the task that runs.
    @TaskLocal package static var current: TraceParent?

    /// Nil for what is not well-formed: then a call has no caller's span.
    ///
    /// `version "-" trace-id "-" parent-id "-" trace-flags`, lower-case hexadecimal digits; what follows in versions after 00 is
    /// not for us (section 3.2).
    package init?(header: String, state: String = "") {
        let bytes = Array(header.utf8.prefix(Self.length + 1))
        guard bytes.count >= Self.length, bytes[2] == Self.dash, bytes[35] == Self.dash, bytes[52] == Self.dash,
            let version = Self.bytes(bytes[0..<2])?.first, version != 0xff,
            bytes.count == Self.length || (version > 0 && bytes[Self.length] == Self.dash),
            let traceID = Self.bytes(bytes[3..<35]), traceID.contains(where: { $0 != 0 }),
            let spanID = Self.bytes(bytes[36..<52]), spanID.contains(where: { $0 != 0 }),
            let flags = Self.bytes(bytes[53..<55])?.first
        else { return nil }
        (self.traceID, self.spanID, self.flags) = (traceID, spanID, flags)
        let isSound = state.utf8.count <= Self.stateMax && state.utf8.allSatisfy { (0x20...0x7e).contains($0) }
        self.state = isSound ? state : ""
    }

    private static let length = 55
    /// What systems have to pass on (section 3.3.1.5).
    private static let stateMax = 512
    private static let dash = UInt8(ascii: "-")

    private static func bytes(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        var out: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            default: return nil
            }
            if let first = high {
                out.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return out
    }
}
