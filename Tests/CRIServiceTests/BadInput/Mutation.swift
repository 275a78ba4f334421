/// A request that differs from a good one in one field.
struct Mutation: Sendable, CustomStringConvertible {
    var path: String
    var what: String
    /// Nil = the field is taken out.
    var value: JSON?
    /// A number that the field's enumeration does not have.
    var isUnknownValue = false

    var description: String { "\(path) \(what)" }

    /// Every field of a message, at every depth: taken out, zero, too long, out of range, of unknown value, not plain text,
    /// too many. `full` tells which values are good; a field that it lacks is tried with a sample.
    static func all(
        of message: String, in schema: Schema, full: JSON, entries: Int, prefix: String = ""
    ) -> [(base: JSON, mutation: Mutation)] {
        (schema.messages[message] ?? []).flatMap { field -> [(base: JSON, mutation: Mutation)] in
            let path = prefix + field.name
            var base = full
            if base[path] == nil { base[path] = sample(field, schema) }
            let known = Set((schema.enumerations[field.type] ?? []).map(String.init))
            let here = values(of: field, now: base[path], entries, schema).map { what, value in
                let isUnknown = !known.isEmpty && value != nil && !known.contains(what)
                return (base, Mutation(path: path, what: what, value: value, isUnknownValue: isUnknown))
            }
            guard field.shape != .map, schema.isMessage(field.type) else { return here }
            return here
                + all(
                    of: field.type, in: schema, full: base, entries: entries,
                    prefix: path + (field.shape == .repeated ? "[]." : "."))
        }
    }

    private static func sample(_ field: Schema.Field, _ schema: Schema) -> JSON {
        let one = schema.sample(field.type)
        switch field.shape {
        case .single: return one
        case .repeated: return [one]
        case .map: return ["k": one]
        }
    }

    private static func values(of field: Schema.Field, now: JSON?, _ entries: Int, _ schema: Schema) -> [(
        String, JSON?
    )] {
        let removed: [(String, JSON?)] = [("taken out", nil)]
        switch field.shape {
        case .single: return removed + single(field.type, schema)
        case .repeated:
            var element = schema.sample(field.type)
            if case .array(let items)? = now, let first = items.first { element = first }
            let many: [(String, JSON?)] = [
                ("empty", []), ("of 10000", .array(Array(repeating: element, count: 10_000))),
            ]
            return removed + many + single(field.type, schema).map { ("of one, " + $0.0, $0.1.map { [$0] }) }
        case .map:
            let many = (0..<entries).map { ("key-\($0)", JSON.string("value")) }
            let maps: [(String, JSON?)] = [
                ("empty", [:]), ("of \(entries)", .object(Dictionary(uniqueKeysWithValues: many))),
            ]
            return removed + maps + texts.map { ("with a key " + $0.0, .object([$0.1: "v"])) }
                + texts.map { ("with a value " + $0.0, .object(["memory.high": .string($0.1)])) }
        }
    }

    private static let texts: [(String, String)] = [
        ("empty", ""), ("of 70000 bytes", String(repeating: "a", count: 70_000)),
        ("of 4000 bytes in two-byte characters", String(repeating: "\u{e9}", count: 2000)), ("with NUL", "a\u{0}b"),
        ("with a line end", "a\nb"), ("..", ".."), ("/../x", "/../x"), ("of a space", " "), ("/", "/"),
        ("with a format", "%s%n%00"),
    ]

    private static func single(_ type: String, _ schema: Schema) -> [(String, JSON?)] {
        if schema.isMessage(type) { return [("empty", [:])] }
        if let numbers = schema.enumerations[type] {
            return ([-1, 999, Int(Int32.max), Int(Int32.min)] + numbers).map { ("\($0)", .number(String($0))) }
        }
        switch type {
        case "bool": return [("false", false), ("true", true)]
        case "bytes":
            return [
                ("empty", ""), ("NUL", "AA=="), ("not UTF-8", "/////w=="),
                ("long", .string(String(repeating: "QUFB", count: 50_000))),
            ]
        case "int32": return numbers([Int64(Int32.min), -1, 0, 1, Int64(Int32.max)])
        case "uint32": return numbers([0, 1, Int64(UInt32.max)])
        case "uint64": return numbers([0, 1]) + [("maximum", .number(String(UInt64.max)))]
        case "int64": return numbers([Int64.min, Int64.min + 1, -1, 0, 1, 4_294_967_295, 4_294_967_296, Int64.max])
        default: return texts.map { ($0.0, .string($0.1)) }
        }
    }

    private static func numbers(_ values: [Int64]) -> [(String, JSON?)] {
        values.map { ("\($0)", .number(String($0))) }
    }
}
