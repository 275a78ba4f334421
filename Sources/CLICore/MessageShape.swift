/// The fields of a CRI message: what is needed to print values that protobuf leaves out because they are defaults, and to
/// check a file against the interface with an error that names the field. SwiftProtobuf offers no reflection for this.
package struct MessageShape: Sendable {
    package enum Form: Sendable { case single, repeated, map }

    package enum Kind: Equatable, Sendable {
        case string, bytes, bool
        /// A number that protobuf's JSON writes as a number.
        case number
        /// A 64-bit integer, which protobuf's JSON writes as a string.
        case integer64
        case enumeration([String])
        /// Another message, by its name.
        case message(String)
    }

    package struct Field: Sendable {
        /// The name in the .proto file.
        package var protoName: String
        /// The name in protobuf's JSON.
        package var jsonName: String
        package var form: Form
        package var kind: Kind
    }

    package var name: String
    package var fields: [Field]

    /// The field that a file means by this name, in either spelling.
    package func field(named name: String) -> Field? {
        fields.first { $0.jsonName == name || $0.protoName == name }
    }

    /// The shape of a message of the CRI by its name without the package; nil for names that the interface does not have.
    package static func of(_ name: String) -> MessageShape? { all[name] }

    /// Reads the lines of `criFields`; they are in this program, so a mistake in them is one of its author, found by a test.
    private static let all: [String: MessageShape] = {
        var enumerations: [Substring: [String]] = [:]
        let lines = criFields.split(separator: "\n").map { $0.split(separator: " ") }
        for words in lines where words.first == "enum" && words.count > 2 {
            enumerations[words[1]] = words.dropFirst(2).map(String.init)
        }
        var shapes: [String: MessageShape] = [:]
        for words in lines where words.first == "message" && words.count > 1 {
            let fields = words.dropFirst(2).compactMap { Field($0, enumerations) }
            shapes[String(words[1])] = MessageShape(name: String(words[1]), fields: fields)
        }
        return shapes
    }()
}

extension MessageShape.Field {
    /// Reads "name:type", "name:*type" for a list, "name:map" for strings by strings.
    fileprivate init?(_ word: Substring, _ enumerations: [Substring: [String]]) {
        let parts = word.split(separator: ":")
        guard parts.count == 2 else { return nil }
        protoName = String(parts[0])
        jsonName = Self.jsonName(protoName)
        form = parts[1] == "map" ? .map : parts[1].hasPrefix("*") ? .repeated : .single
        let type = form == .repeated ? parts[1].dropFirst() : parts[1]
        kind =
            switch type {
            case "string", "map": .string
            case "bytes": .bytes
            case "bool": .bool
            case "int32", "uint32", "double": .number
            case "int64", "uint64": .integer64
            default: enumerations[type].map(MessageShape.Kind.enumeration) ?? .message(String(type))
            }
    }

    /// protobuf's rule: underscores go, the letter after one becomes upper case.
    private static func jsonName(_ name: String) -> String {
        var json = ""
        var raises = false
        for character in name {
            if character == "_" { raises = true; continue }
            json += raises ? character.uppercased() : String(character)
            raises = false
        }
        return json
    }
}
