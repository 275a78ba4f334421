import CLICore

/// Writes what a template makes of a value.
struct TemplateRunner {
    /// More than any listing has; a template that repeats itself ends here.
    static let bytesMax = 64 << 20

    private(set) var text = ""
    private var dot: JSONValue
    /// Variables, innermost last.
    private var variables: [(name: String, value: JSONValue)]

    init(root: JSONValue) {
        dot = root
        variables = [("$", root)]
    }

    mutating func run(_ nodes: [Template.Node]) throws(Failure) {
        let depth = variables.count
        defer { variables.removeLast(variables.count - depth) }
        for node in nodes {
            switch node {
            case .text(let words): try write(words)
            case .show(let pipeline): try write(Self.shown(try value(pipeline).templateText))
            case .set(let name, let pipeline, let isNew):
                let value = try value(pipeline)
                if isNew {
                    variables.append((name, value))
                } else if let place = variables.lastIndex(where: { $0.name == name }) {
                    variables[place].value = value
                }
            case .when(let block): try run(block, setsDot: false)
            case .with(let block): try run(block, setsDot: true)
            case .range(let block): try repeated(block)
            }
        }
    }

    /// A name may have been chosen to work on the reader's terminal. Ends of lines and tabs belong to long values and tables.
    private static func shown(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map { printable(String($0)) }
                .joined(separator: "\t")
        }.joined(separator: "\n")
    }

    private mutating func run(_ block: Template.Block, setsDot: Bool) throws(Failure) {
        let value = try value(block.pipeline)
        guard value.isTrue else { return try run(block.otherwise) }
        try run(block.body, dot: setsDot ? value : dot, block.variables.map { ($0, value) })
    }

    private mutating func repeated(_ block: Template.Block) throws(Failure) {
        let items: [(key: JSONValue, value: JSONValue)]
        switch try value(block.pipeline) {
        case .array(let values): items = values.enumerated().map { (.number($0.offset), $0.element) }
        case .object(let members):
            items = members.sorted { $0.name < $1.name }.map { (.string($0.name), $0.value) }
        case .null: items = []
        case let other: throw Failure("--template: range over \(other.kind)")
        }
        if items.isEmpty { return try run(block.otherwise) }
        for (key, value) in items {
            let values = block.variables.count == 2 ? [key, value] : [value]
            try run(block.body, dot: value, Array(zip(block.variables, values)))
        }
    }

    private mutating func run(
        _ body: [Template.Node], dot inner: JSONValue, _ names: [(String, JSONValue)]
    ) throws(Failure) {
        let outer = dot
        dot = inner
        variables += names.map { (name: $0.0, value: $0.1) }
        defer {
            dot = outer
            variables.removeLast(names.count)
        }
        try run(body)
    }

    // MARK: - Values

    private func value(_ pipeline: Template.Pipeline) throws(Failure) -> JSONValue {
        var last: JSONValue?
        for command in pipeline.commands {
            switch command {
            case .value(let operand): last = try value(operand)
            case .call(let function, let operands):
                var arguments: [JSONValue] = []
                for operand in operands { arguments.append(try value(operand)) }
                if let last { arguments.append(last) }
                last = try function.call(arguments)
            }
        }
        return last ?? .null
    }

    private func value(_ operand: Template.Operand) throws(Failure) -> JSONValue {
        switch operand {
        case .literal(let value): return value
        case .variable(let name, let fields):
            let start = name == "." ? dot : variables.last { $0.name == name }?.value ?? .null
            return try Self.take(fields, of: start)
        case .group(let pipeline, let fields): return try Self.take(fields, of: try value(pipeline))
        }
    }

    /// A field that is not there is null, as in a map of Go.
    private static func take(_ fields: [String], of start: JSONValue) throws(Failure) -> JSONValue {
        var value = start
        for field in fields {
            switch value {
            case .object: value = value[field] ?? .null
            case .null: return .null
            default: throw Failure("--template: .\(field) of \(value.kind)")
            }
        }
        return value
    }

    private mutating func write(_ words: String) throws(Failure) {
        text += words
        guard text.utf8.count <= Self.bytesMax else {
            throw Failure("--template: the output is longer than \(Self.bytesMax >> 20) MiB")
        }
    }
}

extension JSONValue {
    /// How an action shows the value: as Go does, but objects and lists as JSON.
    var templateText: String {
        switch self {
        case .null: "<no value>"
        case .bool(let flag): flag ? "true" : "false"
        case .number(let digits): digits
        case .string(let text): text
        case .array, .object: compact
        }
    }

    /// Whether `if` takes the value for true: what is neither empty nor zero.
    var isTrue: Bool {
        switch self {
        case .null: false
        case .bool(let flag): flag
        case .number(let digits): Double(digits) != 0
        case .string(let text): !text.isEmpty
        case .array(let items): !items.isEmpty
        case .object(let members): !members.isEmpty
        }
    }
}
