/// A header block: names in lower case, each once, in the order of the wire.
package struct SPDYHeaders: Equatable, Sendable, ExpressibleByDictionaryLiteral {
    package private(set) var fields: [(name: String, value: String)] = []

    package init() {}

    package init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { self[name] = value }
    }

    /// The value of a header, whatever the case of `name`; of several values, which NUL separates, the first.
    package subscript(_ name: String) -> String? {
        get {
            let wanted = name.lowercased()
            guard let value = fields.first(where: { $0.name == wanted })?.value else { return nil }
            return String(value.prefix { $0 != "\0" })
        }
        set {
            let name = name.lowercased()
            fields.removeAll { $0.name == name }
            if let newValue { fields.append((name, newValue)) }
        }
    }

    package static func == (a: Self, b: Self) -> Bool { a.fields.elementsEqual(b.fields, by: ==) }

    mutating func append(_ name: String, _ value: String) { fields.append((name, value)) }
}
