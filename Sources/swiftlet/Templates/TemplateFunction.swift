import CLICore

/// The functions that templates may call: Go's own as far as they make sense here, and crictl's json, lower, upper and title.
enum TemplateFunction: String, Sendable {
    case json, lower, upper, title
    case len, index, print, println, printf
    case and, or, not
    case eq, ne, lt, le, gt, ge

    /// How many arguments it takes, the one from the pipe included.
    var takes: ClosedRange<Int> {
        switch self {
        case .json, .lower, .upper, .title, .len, .not: 1...1
        case .ne, .lt, .le, .gt, .ge: 2...2
        case .eq: 2...Int.max
        case .index, .and, .or, .printf: 1...Int.max
        case .print, .println: 0...Int.max
        }
    }

    func call(_ arguments: [JSONValue]) throws(Failure) -> JSONValue {
        guard let first = arguments.first else { return .string(self == .println ? "\n" : "") }
        let last = arguments[arguments.count - 1]
        switch self {
        case .json: return .string(first.compact)
        case .lower: return .string(first.templateText.lowercased())
        case .upper: return .string(first.templateText.uppercased())
        case .title: return .string(Self.titled(first.templateText))
        case .len: return .number(try Self.length(first))
        case .index:
            var value = first
            for key in arguments.dropFirst() { value = try Self.element(key, of: value) }
            return value
        case .print: return .string(arguments.map(\.templateText).joined())
        case .println: return .string(arguments.map(\.templateText).joined(separator: " ") + "\n")
        case .printf: return .string(try Self.formatted(first.templateText, arguments.dropFirst()))
        case .and: return arguments.first { !$0.isTrue } ?? last
        case .or: return arguments.first { $0.isTrue } ?? last
        case .not: return .bool(!first.isTrue)
        case .eq: return .bool(arguments.dropFirst().contains { Self.isSame(first, $0) })
        case .ne: return .bool(!Self.isSame(first, last))
        case .lt: return .bool(try Self.isLess(first, last))
        case .ge: return .bool(try !Self.isLess(first, last))
        case .gt: return .bool(try Self.isLess(last, first))
        case .le: return .bool(try !Self.isLess(last, first))
        }
    }

    private static func titled(_ text: String) -> String {
        var isStart = true
        var out = ""
        for character in text {
            out += isStart ? character.uppercased() : String(character)
            isStart = character.isWhitespace
        }
        return out
    }

    private static func length(_ value: JSONValue) throws(Failure) -> Int {
        switch value {
        case .string(let text): text.utf8.count
        case .array(let items): items.count
        case .object(let members): members.count
        case .null: 0
        default: throw Failure("--template: len of \(value.kind)")
        }
    }

    private static func element(_ key: JSONValue, of value: JSONValue) throws(Failure) -> JSONValue {
        switch (value, key) {
        case (.object, .string(let name)): return value[name] ?? .null
        case (.array(let items), .number(let digits)):
            guard let place = Int(digits), items.indices.contains(place) else {
                throw Failure("--template: index \(digits) of a list of \(items.count)")
            }
            return items[place]
        case (.null, _): return .null
        default: throw Failure("--template: index of \(value.kind) by \(key.kind)")
        }
    }

    /// protobuf's JSON writes 64-bit numbers as strings, so a number equals the string with its digits.
    private static func isSame(_ one: JSONValue, _ other: JSONValue) -> Bool {
        switch (one, other) {
        case (.number, .number), (.number, .string), (.string, .number):
            one.templateText == other.templateText || (number(one) != nil && number(one) == number(other))
        default: one == other
        }
    }

    private static func isLess(_ one: JSONValue, _ other: JSONValue) throws(Failure) -> Bool {
        if let left = number(one), let right = number(other) { return left < right }
        guard let left = one.text, let right = other.text else {
            throw Failure("--template: \(one.kind) and \(other.kind) have no order")
        }
        return left < right
    }

    private static func number(_ value: JSONValue) -> Double? {
        switch value {
        case .number(let digits), .string(let digits): Double(digits)
        default: nil
        }
    }

    /// %s, %v and %d show a value, %q shows it in quotes; a width pads with spaces, a negative one on the right.
    private static func formatted(_ format: String, _ values: ArraySlice<JSONValue>) throws(Failure) -> String {
        var values = values
        var out = ""
        var rest = format[...]
        while let character = rest.popFirst() {
            guard character == "%" else { out.append(character); continue }
            if rest.first == "%" { out.append(rest.removeFirst()); continue }
            let width = rest.prefix { $0 == "-" || ($0.isASCII && $0.isNumber) }
            rest = rest[width.endIndex...]
            guard let verb = rest.popFirst(), "svdq".contains(verb), let value = values.popFirst() else {
                throw Failure("--template: printf \"\(printable(format))\": %s, %v, %d and %q with a value for each")
            }
            let text = verb == "q" ? JSONValue.string(value.templateText).compact : value.templateText
            let columns = width.isEmpty ? 0 : Int(width) ?? Int.max
            guard columns.magnitude <= 1000 else { throw Failure("--template: printf: a width is over 1000") }
            let padding = String(repeating: " ", count: max(0, Int(columns.magnitude) - text.count))
            out += columns < 0 ? text + padding : padding + text
        }
        guard values.isEmpty else { throw Failure("--template: printf \"\(printable(format))\": too many values") }
        return out
    }
}
