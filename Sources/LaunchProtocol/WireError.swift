/// Why bytes are not a message, or a value cannot become one.
package enum WireError: Error, Equatable, Sendable {
    /// The bytes end inside a field.
    case truncated
    /// The bytes do not start with the mark of this kind of data.
    case badMagic
    /// A format version that this program cannot read.
    case badVersion(UInt16)
    /// A message of a kind that this program does not know; the id lets the receiver answer it.
    case unknownKind(UInt16, id: UInt32)
    /// A step of a number that this program does not know.
    case unknownStep(UInt16)
    /// A number outside its range, a count over its bound, or text with a NUL.
    case badValue
    /// Longer than `WireLimits` allows.
    case tooLarge
    /// Bytes after the end, where none may be skipped.
    case trailingBytes
    /// The checksum of a file does not fit its content.
    case badChecksum
}
