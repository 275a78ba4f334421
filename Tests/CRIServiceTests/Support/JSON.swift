import Foundation

/// A JSON document that a test builds and changes by paths such as "config.mounts[].readonly" ("[]" = the first element).
indirect enum JSON: Sendable, Equatable {
    case bool(Bool)
    /// As written.
    case number(String)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    var text: String {
        switch self {
        case .bool(let value): return String(value)
        case .number(let digits): return digits
        case .string(let text): return Self.quoted(text)
        case .array(let items): return "[" + items.map(\.text).joined(separator: ",") + "]"
        case .object(let members):
            return "{"
                + members.sorted { $0.key < $1.key }.map { Self.quoted($0.key) + ":" + $0.value.text }.joined(
                    separator: ",")
                + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var out: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                out += Array("\\u00".utf8) + Array((byte < 16 ? "0" : "").utf8) + Array(String(byte, radix: 16).utf8)
            default: out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self) + "\""
    }

    // MARK: Paths

    subscript(path: String) -> JSON? {
        get { Self.get(self, Self.parts(path)[...]) }
        set { self = Self.set(self, Self.parts(path)[...], newValue) ?? .object([:]) }
    }

    /// The document with the value at `path`, or without what is there.
    func with(_ path: String, _ value: JSON?) -> JSON {
        var copy = self
        copy[path] = value
        return copy
    }

    /// "a.b[].c" as a, b, [], c.
    private static func parts(_ path: String) -> [String] {
        path.split(separator: ".").flatMap { part -> [String] in
            part.hasSuffix("[]") ? [String(part.dropLast(2)), "[]"] : [String(part)]
        }
    }

    private static func get(_ json: JSON, _ path: ArraySlice<String>) -> JSON? {
        guard let first = path.first else { return json }
        switch json {
        case .array(let items) where first == "[]": return items.first.flatMap { get($0, path.dropFirst()) }
        case .object(let members): return members[first].flatMap { get($0, path.dropFirst()) }
        default: return nil
        }
    }

    private static func set(_ json: JSON?, _ path: ArraySlice<String>, _ value: JSON?) -> JSON? {
        guard let first = path.first else { return value }
        let rest = path.dropFirst()
        if first == "[]" {
            var items: [JSON] = []
            if case .array(let old)? = json { items = old }
            let changed = set(items.first, rest, value)
            if !items.isEmpty { items.removeFirst() }
            return .array((changed.map { [$0] } ?? []) + items)
        }
        var members: [String: JSON] = [:]
        if case .object(let old)? = json { members = old }
        // Nothing is made on the way to what is to be removed.
        if value == nil, members[first] == nil { return json }
        members[first] = set(members[first], rest, value)
        return .object(members)
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(integerLiteral value: Int64) { self = .number(String(value)) }
    init(arrayLiteral elements: JSON...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, JSON)...) { self = .object(Dictionary(uniqueKeysWithValues: elements)) }
}
