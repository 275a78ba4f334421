import FoundationEssentials

/// Decodes JSON that a registry supplied: bounded, and refused where two readers could see two different documents.
enum ImageJSON {
    /// Decodes `bytes`; `what` names the document in errors.
    static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8], what: String, bytesMax: Int
    ) throws(ImageFormatError) -> Value {
        guard bytes.count <= bytesMax else { throw .tooLarge(what: what, bytesMax: bytesMax) }
        var scan = JSONScan(bytes: bytes)
        if let problem = scan.problem() { throw .malformed(what: what, reason: problem) }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw .malformed(what: what, reason: Self.sentence(error))
        } catch {
            throw .malformed(what: what, reason: "it is not JSON")
        }
    }

    private static func sentence(_ error: DecodingError) -> String {
        func path(_ context: DecodingError.Context) -> String {
            let keys = context.codingPath.prefix(8).map {
                $0.intValue.map(String.init) ?? String($0.stringValue.prefix(64))
            }
            return keys.isEmpty ? "the document" : "\"\(keys.joined(separator: "."))\""
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(path(context)) has no \"\(key.stringValue)\""
        case .valueNotFound(_, let context): return "\(path(context)) is null"
        case .typeMismatch(_, let context): return "\(path(context)) has the wrong type"
        case .dataCorrupted(let context):
            return "\(path(context)) is not valid: \(context.debugDescription.prefix(200))"
        @unknown default: return "it cannot be decoded"
        }
    }
}

/// One pass over JSON text that finds what a decoder would pass over in silence: a key given twice, a byte order mark,
/// too much nesting, too many values (CVE-2021-41190 and its kin live on documents that two parsers read differently).
struct JSONScan {
    static let depthMax = 32
    static let valuesMax = 200_000

    private let bytes: [UInt8]
    private var index = 0
    private var values = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Nil where the text is one acceptable JSON value.
    mutating func problem() -> String? {
        do throws(Problem) {
            try value(depth: 0)
            skipSpace()
            guard index == bytes.count else { throw Problem("it has bytes after its end") }
            return nil
        } catch {
            return error.text
        }
    }

    private struct Problem: Error {
        var text: String
        init(_ text: String) { self.text = text }
    }

    private mutating func value(depth: Int) throws(Problem) {
        guard depth <= Self.depthMax else { throw Problem("it nests deeper than \(Self.depthMax) levels") }
        values += 1
        guard values <= Self.valuesMax else { throw Problem("it has more than \(Self.valuesMax) values") }
        skipSpace()
        switch peek() {
        case UInt8(ascii: "{"): try object(depth: depth)
        case UInt8(ascii: "["): try array(depth: depth)
        case UInt8(ascii: "\""): _ = try text()
        default: try scalar()
        }
    }

    private mutating func object(depth: Int) throws(Problem) {
        var keys: Set<[UInt8]> = []
        index += 1
        skipSpace()
        if take(UInt8(ascii: "}")) { return }
        while true {
            skipSpace()
            let key = try text()
            guard keys.insert(key).inserted else {
                throw Problem("it has the key \"\(String(decoding: key.prefix(64), as: UTF8.self))\" twice")
            }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw Problem("it is not JSON: no colon at byte \(index)") }
            try value(depth: depth + 1)
            skipSpace()
            if take(UInt8(ascii: "}")) { return }
            guard take(UInt8(ascii: ",")) else {
                throw Problem("it is not JSON: an object does not end at byte \(index)")
            }
        }
    }

    private mutating func array(depth: Int) throws(Problem) {
        index += 1
        skipSpace()
        if take(UInt8(ascii: "]")) { return }
        while true {
            try value(depth: depth + 1)
            skipSpace()
            if take(UInt8(ascii: "]")) { return }
            guard take(UInt8(ascii: ",")) else {
                throw Problem("it is not JSON: an array does not end at byte \(index)")
            }
        }
    }

    private mutating func scalar() throws(Problem) {
        let start = index
        while let byte = peek(), Self.isScalar(byte) { index += 1 }
        guard index > start else { throw Problem("it is not JSON: no value at byte \(index)") }
    }

    /// The bytes of a string with its escapes resolved, so that two spellings of one key are one key.
    private mutating func text() throws(Problem) -> [UInt8] {
        guard take(UInt8(ascii: "\"")) else { throw Problem("it is not JSON: no string at byte \(index)") }
        var out: [UInt8] = []
        while let byte = peek() {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return out
            case UInt8(ascii: "\\"): try escape(into: &out)
            case 0..<0x20: throw Problem("it is not JSON: a control character at byte \(index - 1)")
            default: out.append(byte)
            }
        }
        throw Problem("it is not JSON: a string does not end")
    }

    private mutating func escape(into out: inout [UInt8]) throws(Problem) {
        guard let kind = peek() else { throw Problem("it is not JSON: a string does not end") }
        index += 1
        guard kind == UInt8(ascii: "u") else {
            // One letter stands for one character; which one does not matter as long as each has its own mark.
            out += [UInt8(ascii: "\\"), kind]
            if kind == UInt8(ascii: "/") { out.removeLast(2); out.append(kind) }
            return
        }
        guard bytes.count - index >= 4,
            let code = UInt32(String(decoding: bytes[index..<(index + 4)], as: UTF8.self), radix: 16)
        else { throw Problem("it is not JSON: a wrong \\u escape at byte \(index)") }
        index += 4
        if let scalar = Unicode.Scalar(code), scalar.value >= 0x20, scalar != "\"", scalar != "\\" {
            out += Array(String(Character(scalar)).utf8)
        } else {
            out += Array("\\u\(String(code, radix: 16))".utf8)
        }
    }

    private func peek() -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { index += 1 }
    }

    private static func isScalar(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "E")
    }
}
