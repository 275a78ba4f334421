import CLICore

/// The free-form map of a verbose reply: JSON in it is shown as JSON, text as text.
enum VerboseInfo {
    static func members(_ info: [String: String]) -> [JSONValue.Member] {
        info.sorted { $0.key < $1.key }.map { .init($0.key, value($0.value)) }
    }

    /// One entry as a tree; what is not an object, a list or a quoted string stays text.
    static func value(_ text: String) -> JSONValue {
        guard let first = text.utf8.first, Set("{[\"".utf8).contains(first) else { return .string(text) }
        do { return try JSONParser.parse(text.utf8) } catch { return .string(text) }
    }
}
