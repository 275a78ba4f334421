/// The records of a PAX extended header (POSIX.1-2001, pax) that matter for a layer.
struct PaxHeader {
    /// PAX headers and GNU long names above this are refused.
    static let bytesMax = 1 << 20

    var path: [UInt8]?
    var linkTarget: [UInt8]?
    var size: Int64?
    var uid: Int64?
    var gid: Int64?
    var modified: (seconds: Int64, nanoseconds: Int64)?
    var attributes: [TarEntry.Attribute] = []

    private static let attributesMax = 128
    private static let attributePrefix = Array("SCHILY.xattr.".utf8)

    init() {}

    /// Each record is `length key=value\n`, with the length of all of it in decimal.
    init(_ bytes: [UInt8]) throws(ImageStoreError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let digits = rest.prefix(8).prefix { (0x30...0x39).contains($0) }
            let length = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            guard !digits.isEmpty, length <= rest.count, length > digits.count + 2,
                rest[rest.startIndex + digits.count] == 0x20,
                rest[rest.startIndex + length - 1] == 0x0a
            else { throw Self.malformed("a record has a wrong length") }
            let record = rest[(rest.startIndex + digits.count + 1)..<(rest.startIndex + length - 1)]
            rest = rest.dropFirst(length)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                throw Self.malformed("a record has no value")
            }
            try take(key: record[..<equals], value: Array(record[(equals + 1)...]))
        }
    }

    private mutating func take(key: ArraySlice<UInt8>, value: [UInt8]) throws(ImageStoreError) {
        if key.starts(with: Self.attributePrefix) {
            let name = Array(key.dropFirst(Self.attributePrefix.count))
            guard !name.isEmpty, name.count <= 255, !name.contains(0), value.count <= 65536,
                attributes.count < Self.attributesMax
            else {
                throw Self.malformed("an extended attribute is out of bounds")
            }
            attributes.removeAll { $0.name == name }
            return attributes.append(TarEntry.Attribute(name: name, value: value))
        }
        switch String(decoding: key, as: UTF8.self) {
        case "path": path = try Self.name(value)
        case "linkpath": linkTarget = try Self.name(value)
        case "size": size = try Self.number(value)
        case "uid": uid = try Self.number(value)
        case "gid": gid = try Self.number(value)
        case "mtime": modified = try Self.time(value)
        case let other where other.hasPrefix("GNU.sparse."):
            throw .unimplemented("unpack layer: sparse files in tar archives are not supported")
        default: break
        }
    }

    private static func name(_ value: [UInt8]) throws(ImageStoreError) -> [UInt8] {
        guard !value.isEmpty, !value.contains(0) else { throw malformed("a name is empty or has a NUL") }
        return value
    }

    private static func number(_ value: [UInt8]) throws(ImageStoreError) -> Int64 {
        guard (1...19).contains(value.count), value.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int64(String(decoding: value, as: UTF8.self))
        else { throw malformed("a number is out of range") }
        return number
    }

    /// Seconds with an optional fraction, and a sign before 1970.
    private static func time(_ value: [UInt8]) throws(ImageStoreError) -> (seconds: Int64, nanoseconds: Int64) {
        let isNegative = value.first == UInt8(ascii: "-")
        let parts = value.dropFirst(isNegative ? 1 : 0).split(
            separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first else { throw malformed("a time is no number") }
        let seconds = try number(Array(whole))
        var nanoseconds: Int64 = 0
        if parts.count == 2 {
            guard parts[1].allSatisfy({ (0x30...0x39).contains($0) }) else { throw malformed("a time is no number") }
            for place in 0..<9 {
                let digit = place < parts[1].count ? Int64(parts[1][parts[1].startIndex + place] - 0x30) : 0
                nanoseconds = nanoseconds * 10 + digit
            }
        }
        guard isNegative else { return (seconds, nanoseconds) }
        return nanoseconds == 0 ? (-seconds, 0) : (-seconds - 1, 1_000_000_000 - nanoseconds)
    }

    private static func malformed(_ what: String) -> ImageStoreError {
        .invalidImage("read layer: in a PAX header, \(what)")
    }
}
