extension JSONValue {
    /// The value on one line.
    package var compact: String {
        var printer = JSONPrinter(indents: false)
        printer.write(self, depth: 0)
        return printer.text
    }

    /// The value over several lines, indented by two spaces as crictl does.
    package var pretty: String {
        var printer = JSONPrinter(indents: true)
        printer.write(self, depth: 0)
        return printer.text
    }
}

private struct JSONPrinter {
    var text = ""
    let indents: Bool

    init(indents: Bool) { self.indents = indents }

    mutating func write(_ value: JSONValue, depth: Int) {
        switch value {
        case .null: text += "null"
        case .bool(let flag): text += flag ? "true" : "false"
        case .number(let digits): text += digits
        case .string(let string): quote(string)
        case .array(let items):
            list(items, open: "[", close: "]", depth: depth) { printer, item in
                printer.write(item, depth: depth + 1)
            }
        case .object(let members):
            list(members, open: "{", close: "}", depth: depth) { printer, member in
                printer.quote(member.name)
                printer.text += printer.indents ? ": " : ":"
                printer.write(member.value, depth: depth + 1)
            }
        }
    }

    private mutating func list<Item>(
        _ items: [Item], open: String, close: String, depth: Int, each: (inout JSONPrinter, Item) -> Void
    ) {
        text += open
        for (index, item) in items.enumerated() {
            if index > 0 { text += "," }
            newLine(depth: depth + 1)
            each(&self, item)
        }
        if !items.isEmpty { newLine(depth: depth) }
        text += close
    }

    private mutating func newLine(depth: Int) {
        guard indents else { return }
        text += "\n"
        for _ in 0..<depth { text += "  " }
    }

    private mutating func quote(_ string: String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<" ", "\u{7f}"..<"\u{a0}":
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
