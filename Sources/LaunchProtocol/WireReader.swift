/// Takes fields from bytes that anybody may have written: every read checks what is left, and nothing here can trap.
package struct WireReader {
    private let bytes: Bytes
    private var position: Int
    private let end: Int

    package init(_ bytes: Bytes) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    private init(_ bytes: Bytes, from position: Int, to end: Int) {
        self.bytes = bytes
        self.position = position
        self.end = end
    }

    package var remaining: Int { end - position }

    package mutating func integer<T: FixedWidthInteger>(_: T.Type) throws(WireError) -> T {
        let size = T.bitWidth / 8
        guard remaining >= size else { throw .truncated }
        var value: T = 0
        for index in 0..<size {
            value |= T(truncatingIfNeeded: bytes[position + index]) << T(truncatingIfNeeded: index * 8)
        }
        position += size
        return value
    }

    package mutating func u8() throws(WireError) -> UInt8 { try integer(UInt8.self) }
    package mutating func u16() throws(WireError) -> UInt16 { try integer(UInt16.self) }
    package mutating func u32() throws(WireError) -> UInt32 { try integer(UInt32.self) }
    package mutating func u64() throws(WireError) -> UInt64 { try integer(UInt64.self) }
    package mutating func i32() throws(WireError) -> Int32 { try integer(Int32.self) }
    package mutating func i64() throws(WireError) -> Int64 { try integer(Int64.self) }

    package mutating func bool() throws(WireError) -> Bool {
        switch try u8() {
        case 0: return false
        case 1: return true
        default: throw .badValue
        }
    }

    package mutating func bytes(bytesMax: Int) throws(WireError) -> Bytes {
        let start = try length(bytesMax: bytesMax)
        return Bytes(bytes[start..<position])
    }

    package mutating func text(bytesMax: Int = WireLimits.textBytes) throws(WireError) -> Bytes {
        let value = try bytes(bytesMax: bytesMax)
        guard !value.contains(0) else { throw .badValue }
        return value
    }

    package mutating func name(mayBeEmpty: Bool = false) throws(WireError) -> Bytes {
        let value = try bytes(bytesMax: WireLimits.nameBytes)
        guard (mayBeEmpty && value.isEmpty) || Wire.isName(value) else { throw .badValue }
        return value
    }

    /// A raw value that stands for a case of `T`.
    package mutating func choice<T: RawRepresentable>(_: T.Type) throws(WireError) -> T where T.RawValue == UInt8 {
        guard let value = T(rawValue: try u8()) else { throw .badValue }
        return value
    }

    package mutating func optional<T>(
        _ read: (inout WireReader) throws(WireError) -> T
    ) throws(WireError) -> T? {
        try bool() ? try read(&self) : nil
    }

    /// `elementBytesMin`, the least that one element takes, keeps a lying count from reserving memory.
    package mutating func list<T>(
        countMax: Int, elementBytesMin: Int, _ read: (inout WireReader) throws(WireError) -> T
    ) throws(WireError) -> [T] {
        guard let count = Int(exactly: try u32()), count <= countMax else { throw .tooLarge }
        guard count <= remaining / max(elementBytesMin, 1) else { throw .truncated }
        var values: [T] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    /// A reader of fields that were written by `WireWriter.nested`; what it leaves unread is skipped.
    package mutating func nested(bytesMax: Int) throws(WireError) -> WireReader {
        let start = try length(bytesMax: bytesMax)
        return WireReader(bytes, from: start, to: position)
    }

    /// Throws where anything is left: for data of which nothing may be skipped.
    package func finish() throws(WireError) {
        guard remaining == 0 else { throw .trailingBytes }
    }

    /// Reads a count of bytes and steps over them; the result is where they start.
    private mutating func length(bytesMax: Int) throws(WireError) -> Int {
        guard let count = Int(exactly: try u32()), count <= bytesMax else { throw .tooLarge }
        guard count <= remaining else { throw .truncated }
        let start = position
        position += count
        return start
    }
}
