/// What a container may write to its log; what is beyond that is dropped and counted. 0 = no limit.
package struct LogLimits: Sendable, Equatable {
    /// On average; a second's worth may come at once.
    package var bytesPerSecond: UInt64
    /// Of one file: after a rotation it begins anew.
    package var fileBytesMax: UInt64

    package init(bytesPerSecond: UInt64 = 0, fileBytesMax: UInt64 = 0) {
        self.bytesPerSecond = bytesPerSecond
        self.fileBytesMax = fileBytesMax
    }

    package static let none = LogLimits()

    func write(_ writer: inout WireWriter) {
        writer.integer(bytesPerSecond)
        writer.integer(fileBytesMax)
    }

    /// Limits that limit something: a plan without has another number for its streams.
    init(_ reader: inout WireReader) throws(WireError) {
        self.init(bytesPerSecond: try reader.u64(), fileBytesMax: try reader.u64())
        guard self != .none else { throw .badValue }
    }
}
