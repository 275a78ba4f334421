import Foundation

/// The messages of the CRI as `proto/runtime/v1/api.proto` has them, so that no field can be forgotten by a test.
struct Schema: Sendable {
    struct Field: Sendable {
        enum Shape: Sendable { case single, repeated, map }

        var name: String
        /// A scalar's name, or that of a message or an enumeration; of a map, its values' type.
        var type: String
        var shape: Shape
    }

    var messages: [String: [Field]] = [:]
    /// Numbers of the values.
    var enumerations: [String: [Int]] = [:]
    /// Request message of each RPC.
    var requests: [String: String] = [:]

    /// Reads the file of this repository.
    static func load(from file: String = #filePath) throws -> Schema {
        var root = URL(fileURLWithPath: file)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        let path = root.appendingPathComponent("proto/runtime/v1/api.proto")
        return Schema(parsing: try String(contentsOf: path, encoding: .utf8))
    }

    /// As much of proto3 as that file has: messages and enumerations, one of them nested, and unary or streaming RPCs.
    init(parsing text: String) {
        var open: [(kind: Substring, name: String)] = []
        for line in text.split(separator: "\n") {
            let code = line.split(separator: "//", omittingEmptySubsequences: false)[0]
            let words = code.split { " \t;(){}=,<>".contains($0) }.filter { !$0.hasPrefix("[") }
            guard let first = words.first else {
                if code.contains("}") { _ = open.popLast() }
                continue
            }
            switch first {
            case "message", "enum":
                let name = String(words[1])
                if first == "message" { messages[name] = [] } else { enumerations[name] = [] }
                if !code.contains("}") { open.append((first, name)) }
            case "service": open.append((first, String(words[1])))
            case "rpc": requests[String(words[1])] = String(words[2])
            default:
                guard let (kind, name) = open.last else { continue }
                if kind == "enum", let number = Int(words[1]) { enumerations[name]?.append(number) }
                if kind == "message" { messages[name]?.append(Self.field(words)) }
            }
        }
    }

    private static func field(_ words: [Substring]) -> Field {
        switch words[0] {
        case "repeated": Field(name: String(words[2]), type: String(words[1]), shape: .repeated)
        case "map": Field(name: String(words[3]), type: String(words[2]), shape: .map)
        default: Field(name: String(words[1]), type: String(words[0]), shape: .single)
        }
    }

    func isMessage(_ type: String) -> Bool { messages[type] != nil }

    /// Every path from a message to a value that is none itself: "config.mounts[].readonly", "config.labels".
    func leaves(of message: String, prefix: String = "") -> [(path: String, field: Field)] {
        (messages[message] ?? []).flatMap { field -> [(path: String, field: Field)] in
            let path = prefix + field.name
            guard field.shape != .map, isMessage(field.type) else { return [(path, field)] }
            return leaves(of: field.type, prefix: path + (field.shape == .repeated ? "[]." : "."))
        }
    }

    /// A value other than the default, for a field of that type.
    func sample(_ type: String) -> JSON {
        if let fields = messages[type] {
            return .object(
                Dictionary(
                    uniqueKeysWithValues: fields.map { field in
                        switch field.shape {
                        case .single: (field.name, sample(field.type))
                        case .repeated: (field.name, [sample(field.type)])
                        case .map: (field.name, ["k": sample(field.type)])
                        }
                    }))
        }
        if enumerations[type] != nil { return 1 }
        switch type {
        case "string": return "sample"
        case "bytes": return "c2FtcGxl"
        case "bool": return true
        default: return 7
        }
    }
}
