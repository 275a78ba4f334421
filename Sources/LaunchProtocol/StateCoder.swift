extension ProcessState {
    func body(_ writer: inout WireWriter) {
        writer.name(process)
        writer.integer(kind.rawValue)
        writer.integer(phase.rawValue)
        writer.integer(pid)
        writer.integer(startedAtNanoseconds)
        writer.optional(exit) { writer, record in writer.nested(record.body) }
        writer.integer(logLinesDropped)
    }

    init(_ reader: inout WireReader) throws(WireError) {
        self.init(
            process: try reader.name(), kind: try reader.choice(LaunchPlan.Kind.self),
            phase: try reader.choice(Phase.self), pid: try reader.i32(), startedAtNanoseconds: try reader.i64(),
            exit: try reader.optional { reader throws(WireError) in
                var fields = try reader.nested(bytesMax: WireLimits.exitFileBytes)
                return try ExitRecord(&fields)
            },
            logLinesDropped: try reader.u64())
    }
}

extension ExitRecord {
    func body(_ writer: inout WireWriter) {
        writer.name(process)
        writer.integer(kind.rawValue)
        writer.integer(pid)
        writer.integer(startedAtNanoseconds)
        writer.integer(exitedAtNanoseconds)
        writer.integer(exitCode)
        writer.integer(oomKills)
    }

    init(_ reader: inout WireReader) throws(WireError) {
        self.init(
            process: try reader.name(), kind: try reader.choice(LaunchPlan.Kind.self), pid: try reader.i32(),
            startedAtNanoseconds: try reader.i64(), exitedAtNanoseconds: try reader.i64(),
            exitCode: try reader.i32(), oomKills: try reader.u64())
    }
}

/// The file `<process>.exit`: magic, version, CRC-32C of the body, length of the body, body (the record's fields).
package enum ExitFile {
    package static func encode(_ record: ExitRecord) throws(WireError) -> Bytes {
        var fields = WireWriter()
        record.body(&fields)
        let body = try fields.finish(bytesMax: WireLimits.exitFileBytes)
        var writer = WireWriter()
        writer.integer(Wire.exitMagic)
        writer.integer(Wire.version)
        writer.integer(UInt16(0))
        writer.integer(Wire.checksum(body))
        writer.bytes(body, bytesMax: WireLimits.exitFileBytes)
        return try writer.finish(bytesMax: WireLimits.exitFileBytes)
    }

    /// A torn, cut or altered file gives an error and never a record that nobody wrote.
    package static func decode(_ bytes: Bytes) throws(WireError) -> ExitRecord {
        guard bytes.count <= WireLimits.exitFileBytes else { throw .tooLarge }
        var reader = WireReader(bytes)
        guard try reader.u32() == Wire.exitMagic else { throw .badMagic }
        let version = try reader.u16()
        guard version > 0 else { throw .badVersion(version) }
        guard try reader.u16() == 0 else { throw .badValue }
        let checksum = try reader.u32()
        let body = try reader.bytes(bytesMax: WireLimits.exitFileBytes)
        try reader.finish()
        guard Wire.checksum(body) == checksum else { throw .badChecksum }
        var fields = WireReader(body)
        return try ExitRecord(&fields)
    }

    /// Name of a process's exit record in the exit directory.
    package static func name(of process: Bytes) -> Bytes { process + [0x2e, 0x65, 0x78, 0x69, 0x74] }
}
