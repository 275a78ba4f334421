/// Appends little-endian fields; remembers the first value that may not be sent, and `finish` throws it.
package struct WireWriter {
    private var bytes: Bytes = []
    private var failure: WireError?

    package init() {}

    package var count: Int { bytes.count }

    /// Everything written, if each value was allowed and there are at most `bytesMax`.
    package consuming func finish(bytesMax: Int) throws(WireError) -> Bytes {
        if let failure { throw failure }
        guard bytes.count <= bytesMax else { throw .tooLarge }
        return bytes
    }

    package mutating func integer<T: FixedWidthInteger>(_ value: T) {
        for shift in stride(from: 0, to: T.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> T(truncatingIfNeeded: shift)))
        }
    }

    package mutating func bool(_ value: Bool) { integer(UInt8(value ? 1 : 0)) }

    /// Bytes of any value, after their count.
    package mutating func bytes(_ value: Bytes, bytesMax: Int) {
        if value.count > bytesMax { fail(.tooLarge) }
        integer(UInt32(truncatingIfNeeded: value.count))
        bytes += value
    }

    /// Bytes without a NUL, after their count.
    package mutating func text(_ value: Bytes, bytesMax: Int = WireLimits.textBytes) {
        if value.contains(0) { fail(.badValue) }
        bytes(value, bytesMax: bytesMax)
    }

    /// A name that can be a file name (`Wire.isName`), or none.
    package mutating func name(_ value: Bytes, mayBeEmpty: Bool = false) {
        if !(mayBeEmpty && value.isEmpty) && !Wire.isName(value) { fail(.badValue) }
        bytes(value, bytesMax: WireLimits.nameBytes)
    }

    package mutating func optional<T>(_ value: T?, _ write: (inout WireWriter, T) -> Void) {
        bool(value != nil)
        if let value { write(&self, value) }
    }

    package mutating func list<T>(_ values: [T], countMax: Int, _ write: (inout WireWriter, T) -> Void) {
        if values.count > countMax { fail(.tooLarge) }
        integer(UInt32(truncatingIfNeeded: values.count))
        for value in values { write(&self, value) }
    }

    /// Fields after their total length, so that a reader can skip those that it does not know.
    package mutating func nested(_ write: (inout WireWriter) -> Void) {
        let start = bytes.count
        integer(UInt32(0))
        write(&self)
        let length = UInt32(truncatingIfNeeded: bytes.count - start - 4)
        for index in 0..<4 {
            bytes[start + index] = UInt8(truncatingIfNeeded: length >> UInt32(truncatingIfNeeded: index * 8))
        }
    }

    /// Bytes that are encoded already.
    package mutating func append(_ encoded: Bytes) { bytes += encoded }

    package mutating func fail(_ error: WireError) {
        if failure == nil { failure = error }
    }
}
