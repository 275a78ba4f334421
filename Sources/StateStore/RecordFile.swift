import Linux

/// The bytes of one record: a line of text, then the payload.
///
///     swiftlet-record 1 <record version> <boot id> <payload length> <checksum>\n<payload>
///
/// The checksum covers the line up to itself and the payload, so that a cut at any length and every flipped bit is
/// found. The line is text so that `head -1` shows it.
struct RecordFile: Equatable {
    var version: UInt32
    var bootID: String
    var payload: [UInt8]

    /// Far above any record; a larger file is damage or not ours, and is not read.
    static let sizeMax = 4 << 20

    private static let magic = "swiftlet-record"
    private static let format = "1"

    var bytes: [UInt8] {
        let start = Self.start(version: version, bootID: bootID, length: payload.count)
        return Array((start + Self.hexadecimal(Self.checksum(start, payload)) + "\n").utf8) + payload
    }

    init(version: UInt32, bootID: String, payload: [UInt8]) {
        self.version = version
        self.bootID = bootID
        self.payload = payload
    }

    /// Total: any bytes give a record or the reason why they are none.
    init(parsing bytes: [UInt8]) throws(RecordDamage) {
        guard bytes.count <= Self.sizeMax else { throw RecordDamage(reason: "larger than \(Self.sizeMax) bytes") }
        guard let end = bytes.prefix(256).firstIndex(of: UInt8(ascii: "\n")) else {
            throw RecordDamage(reason: "no header")
        }
        guard let line = String(validating: bytes[..<end], as: UTF8.self) else {
            throw RecordDamage(reason: "no header")
        }
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0] == Self.magic else { throw RecordDamage(reason: "no header") }
        guard fields[1] == Self.format else { throw RecordDamage(reason: "unknown format") }
        guard let version = UInt32(fields[2]), let length = Int(fields[4]) else {
            throw RecordDamage(reason: "no header")
        }

        let payload = Array(bytes[(end + 1)...])
        guard payload.count == length else {
            throw RecordDamage(reason: "\(payload.count) bytes in place of \(length)")
        }
        let start = Self.start(version: version, bootID: String(fields[3]), length: length)
        guard line == start + Self.hexadecimal(Self.checksum(start, payload)) else {
            throw RecordDamage(reason: "wrong checksum")
        }
        self.init(version: version, bootID: String(fields[3]), payload: payload)
    }

    private static func start(version: UInt32, bootID: String, length: Int) -> String {
        "\(magic) \(format) \(version) \(bootID) \(length) "
    }

    private static func checksum(_ start: String, _ payload: [UInt8]) -> UInt32 {
        CRC32C.checksum(payload, continuing: CRC32C.checksum(start.utf8))
    }

    private static func hexadecimal(_ word: UInt32) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }
}

/// What is wrong with the bytes of a record.
struct RecordDamage: Error, Equatable {
    var reason: String
}
