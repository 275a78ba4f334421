/// One datagram: magic, version, kind, request id, length of the body, body.
///
/// Fields are appended to bodies and never changed: a reader skips what a newer version has added. The header's version is
/// the writer's and is never refused but for 0.
package enum Frame {
    package static let headerBytes = 16

    package struct Header: Sendable, Equatable {
        package var version: UInt16
        package var kind: UInt16
        package var id: UInt32
    }

    package static func encode(_ request: Request, id: UInt32) throws(WireError) -> Bytes {
        try frame(kind: request.kind.rawValue, id: id, request.body)
    }

    package static func encode(_ reply: Reply, id: UInt32) throws(WireError) -> Bytes {
        try frame(kind: reply.kind.rawValue, id: id, reply.body)
    }

    package static func encode(_ failure: BirthFailure) throws(WireError) -> Bytes {
        try frame(kind: BirthFailure.kind, id: 0, failure.body)
    }

    package static func decodeRequest(_ bytes: Bytes) throws(WireError) -> (id: UInt32, request: Request) {
        var (header, reader) = try open(bytes)
        guard let kind = Request.Kind(rawValue: header.kind) else { throw .unknownKind(header.kind, id: header.id) }
        return (header.id, try Request(kind, &reader))
    }

    package static func decodeReply(_ bytes: Bytes) throws(WireError) -> (id: UInt32, reply: Reply) {
        var (header, reader) = try open(bytes)
        guard let kind = Reply.Kind(rawValue: header.kind) else { throw .unknownKind(header.kind, id: header.id) }
        return (header.id, try Reply(kind, &reader))
    }

    package static func decodeBirthFailure(_ bytes: Bytes) throws(WireError) -> BirthFailure {
        var (header, reader) = try open(bytes)
        guard header.kind == BirthFailure.kind else { throw .unknownKind(header.kind, id: header.id) }
        return try BirthFailure(&reader)
    }

    /// The header alone, for a receiver that wants to answer a body it cannot read.
    package static func decodeHeader(_ bytes: Bytes) throws(WireError) -> Header { try open(bytes).0 }

    private static func frame(
        kind: UInt16, id: UInt32, _ body: (inout WireWriter) -> Void
    ) throws(WireError) -> Bytes {
        var writer = WireWriter()
        writer.integer(Wire.frameMagic)
        writer.integer(Wire.version)
        writer.integer(kind)
        writer.integer(id)
        writer.nested(body)
        return try writer.finish(bytesMax: WireLimits.datagramBytes)
    }

    private static func open(_ bytes: Bytes) throws(WireError) -> (Header, WireReader) {
        guard bytes.count <= WireLimits.datagramBytes else { throw .tooLarge }
        var reader = WireReader(bytes)
        guard try reader.u32() == Wire.frameMagic else { throw .badMagic }
        let version = try reader.u16()
        guard version > 0 else { throw .badVersion(version) }
        let header = Header(version: version, kind: try reader.u16(), id: try reader.u32())
        let body = try reader.nested(bytesMax: WireLimits.datagramBytes)
        try reader.finish()
        return (header, body)
    }
}
