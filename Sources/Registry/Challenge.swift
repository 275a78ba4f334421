/// One challenge of a `WWW-Authenticate` header (RFC 9110, section 11.6.1).
struct Challenge: Equatable {
    /// Lower case: `basic`, `bearer`.
    var scheme: String
    /// Names in lower case.
    var parameters: [String: String]

    /// Reads all challenges of one header value; what cannot be read is left out.
    static func parse(_ value: String) -> [Challenge] {
        guard value.utf8.count <= 8192 else { return [] }
        var challenges: [Challenge] = []
        var rest = value[...]
        while true {
            rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
            let word = rest.prefix(while: isToken)
            guard !word.isEmpty else { return challenges }
            rest = rest[word.endIndex...]
            let after = rest.drop { $0 == " " || $0 == "\t" }
            if after.first == "=", !challenges.isEmpty {
                guard let parameter = readValue(after.dropFirst()) else { return challenges }
                challenges[challenges.count - 1].parameters[word.lowercased()] = parameter.value
                rest = parameter.rest
            } else {
                challenges.append(Challenge(scheme: word.lowercased(), parameters: [:]))
            }
        }
    }

    private static func readValue(_ text: Substring) -> (value: String, rest: Substring)? {
        var rest = text.drop { $0 == " " || $0 == "\t" }
        guard rest.first == "\"" else {
            let value = rest.prefix { $0 != "," && $0 != " " }
            return (String(value), rest[value.endIndex...])
        }
        rest = rest.dropFirst()
        var value = ""
        while let character = rest.popFirst() {
            switch character {
            case "\"": return (value, rest)
            case "\\":
                guard let escaped = rest.popFirst() else { return nil }
                value.append(escaped)
            default: value.append(character)
            }
        }
        return nil
    }

    private static func isToken(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "!#$%&'*+-.^_`|~".contains(character))
    }
}
