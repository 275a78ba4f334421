import CLICore

/// Cuts a template into text and the words of its actions.
struct TemplateScanner {
    static let bytesMax = 64 << 10

    enum Token: Equatable {
        /// "if", "eq", "json", "true"
        case word(String)
        /// ".status.state" as its fields; a dot alone has none.
        case fields([String])
        /// "$" and "$name", with its fields.
        case variable(String, [String])
        case literal(JSONValue)
        case pipe, open, comma, declare, assign
        /// ")" and the fields that are taken of the group.
        case close([String])
    }

    enum Piece {
        case text(String)
        /// An action with how it is written, for errors.
        case action([Token], source: String)
    }

    static func pieces(_ text: String) throws(Failure) -> [Piece] {
        guard text.utf8.count <= bytesMax else { throw .usage("--template: longer than \(bytesMax >> 10) KiB") }
        var pieces: [Piece] = []
        var rest = text[...]
        var trims = false
        while let open = rest.firstRange(of: "{{") {
            var before = rest[..<open.lowerBound]
            rest = rest[open.upperBound...]
            if trims { before = trimmedStart(before) }
            if rest.hasPrefix("-"), rest.dropFirst().first?.isWhitespace == true {
                while before.last?.isWhitespace == true { before.removeLast() }
                rest = rest.dropFirst()
            }
            if !before.isEmpty { pieces.append(.text(String(before))) }
            let (body, after) = try action(rest)
            rest = after
            var inside = body
            trims = inside.hasSuffix("-") && inside.dropLast().last?.isWhitespace == true
            if trims { inside.removeLast() }
            let source = inside.trimmingPrefix { $0.isWhitespace }
            if source.hasPrefix("/*") { continue }
            pieces.append(.action(try tokens(inside), source: printable(String(source))))
        }
        if trims { rest = trimmedStart(rest) }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        return pieces
    }

    private static func trimmedStart(_ text: Substring) -> Substring { text.drop { $0.isWhitespace } }

    /// The inside of an action and what follows it; braces in quotes and comments do not end one.
    private static func action(_ text: Substring) throws(Failure) -> (Substring, Substring) {
        var index = text.startIndex
        var quote: Character?
        while index < text.endIndex {
            let character = text[index]
            if let open = quote {
                if character == "\\", open == "\"" { index = text.index(after: index) }
                if character == open { quote = nil }
            } else if character == "\"" || character == "`" {
                quote = character
            } else if text[index...].hasPrefix("/*") {
                guard let end = text[index...].firstRange(of: "*/") else { break }
                index = end.upperBound
                continue
            } else if text[index...].hasPrefix("}}") {
                return (text[..<index], text[text.index(index, offsetBy: 2)...])
            }
            if index < text.endIndex { index = text.index(after: index) }
        }
        throw .usage("--template: \"{{\(printable(String(text.prefix(40))))\" has no end")
    }

    // MARK: - Words

    private static func tokens(_ text: Substring) throws(Failure) -> [Token] {
        var tokens: [Token] = []
        var rest = text
        while let first = rest.first {
            if first.isWhitespace { rest.removeFirst(); continue }
            switch first {
            case "|": tokens.append(.pipe); rest.removeFirst()
            case "(": tokens.append(.open); rest.removeFirst()
            case ",": tokens.append(.comma); rest.removeFirst()
            case ")":
                rest.removeFirst()
                tokens.append(.close(try fields(&rest, isAlone: false)))
            case ".": tokens.append(.fields(try fields(&rest, isAlone: true)))
            case "$":
                rest.removeFirst()
                let name = "$" + name(&rest)
                tokens.append(.variable(name, try fields(&rest, isAlone: false)))
            case ":" where rest.hasPrefix(":="): tokens.append(.declare); rest = rest.dropFirst(2)
            case "=": tokens.append(.assign); rest.removeFirst()
            case "\"", "`": tokens.append(.literal(.string(try quoted(&rest))))
            default: tokens.append(try word(&rest))
            }
        }
        return tokens
    }

    /// ".a.b" as ["a", "b"]; a dot with nothing behind it only where it stands alone.
    private static func fields(_ rest: inout Substring, isAlone: Bool) throws(Failure) -> [String] {
        var fields: [String] = []
        while rest.first == "." {
            rest.removeFirst()
            let name = name(&rest)
            if name.isEmpty {
                guard isAlone, fields.isEmpty else { throw .usage("--template: a field's name is missing after a dot") }
                return []
            }
            fields.append(name)
        }
        return fields
    }

    private static func name(_ rest: inout Substring) -> String {
        let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        rest = rest[name.endIndex...]
        return String(name)
    }

    private static func word(_ rest: inout Substring) throws(Failure) -> Token {
        let word = rest.prefix { $0.isLetter || $0.isNumber || "_-+.".contains($0) }
        guard let first = word.first else {
            throw .usage("--template: \"\(printable(String(rest.prefix(1))))\" is not understood here")
        }
        rest = rest[word.endIndex...]
        if first.isNumber || first == "-" || first == "+" {
            guard Double(word) != nil else {
                throw .usage("--template: \"\(printable(String(word)))\" is not a number")
            }
            return .literal(.number(String(word.first == "+" ? word.dropFirst() : word)))
        }
        switch word {
        case "true": return .literal(.bool(true))
        case "false": return .literal(.bool(false))
        case "nil": return .literal(.null)
        default: return .word(String(word))
        }
    }

    private static func quoted(_ rest: inout Substring) throws(Failure) -> String {
        let quote = rest.removeFirst()
        var text = ""
        while let character = rest.popFirst() {
            if character == quote { return text }
            guard character == "\\", quote == "\"" else { text.append(character); continue }
            switch rest.popFirst() {
            case "n": text.append("\n")
            case "t": text.append("\t")
            case "r": text.append("\r")
            case "\\": text.append("\\")
            case "\"": text.append("\"")
            default: throw .usage("--template: an escape in quotes is not one of \\n, \\t, \\r, \\\\ and \\\"")
            }
        }
        throw .usage("--template: a quoted text has no end")
    }
}
