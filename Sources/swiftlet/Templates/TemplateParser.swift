import CLICore

/// Makes nodes of a template's pieces.
struct TemplateParser {
    /// Blocks and parentheses within each other.
    static let depthMax = 64

    private typealias Token = TemplateScanner.Token

    private let pieces: [TemplateScanner.Piece]
    private var index = 0
    /// The words of the action that is read, and how it is written.
    private var tokens: [Token] = []
    private var source = ""
    /// Names that stand for something here, innermost last.
    private var scope = ["$"]

    init(_ text: String) throws(Failure) { pieces = try TemplateScanner.pieces(text) }

    mutating func parse() throws(Failure) -> [Template.Node] {
        let (nodes, ending) = try nodes(depth: 0)
        if let ending { throw .usage("--template: {{\(ending)}} without a block that it could belong to") }
        return nodes
    }

    // MARK: - Blocks

    /// Nodes up to the end, {{end}} or {{else ...}}; which of them is told, and for else its words are left in `tokens`.
    private mutating func nodes(depth: Int) throws(Failure) -> ([Template.Node], ending: String?) {
        guard depth <= Self.depthMax else {
            throw .usage("--template: more than \(Self.depthMax) blocks in each other")
        }
        var nodes: [Template.Node] = []
        let before = scope.count
        defer { scope.removeLast(scope.count - before) }
        while index < pieces.count {
            let piece = pieces[index]
            index += 1
            guard case .action(let words, let source) = piece else {
                if case .text(let text) = piece { nodes.append(.text(text)) }
                continue
            }
            tokens = words
            self.source = source
            switch words.first {
            case .word("end"), .word("else"):
                tokens.removeFirst()
                return (nodes, words.first == .word("end") ? "end" : "else")
            case .word("if"), .word("with"), .word("range"):
                tokens.removeFirst()
                nodes.append(try block(words[0], depth: depth))
            case .variable(let name, let fields) where fields.isEmpty && words.count > 1 && words[1] == .declare:
                tokens.removeFirst(2)
                let value = try whole()
                scope.append(name)
                nodes.append(.set(name, value, isNew: true))
            case .variable(let name, let fields) where fields.isEmpty && words.count > 1 && words[1] == .assign:
                guard name != "$", scope.contains(name) else { throw wrong("\(name) is not declared") }
                tokens.removeFirst(2)
                nodes.append(.set(name, try whole(), isNew: false))
            case nil: throw .usage("--template: {{}} has nothing in it")
            default: nodes.append(.show(try whole()))
            }
        }
        return (nodes, nil)
    }

    private mutating func block(_ word: Token, depth: Int) throws(Failure) -> Template.Node {
        let opening = source
        let variables = try declared(atMost: word == .word("range") ? 2 : 1)
        var block = Template.Block(variables: variables, pipeline: try whole())
        scope += variables
        let (body, ending) = try nodes(depth: depth + 1)
        scope.removeLast(variables.count)
        block.body = body
        var last = ending
        if ending == "else" {
            if let next = tokens.first {
                // {{else if}} is a block of its own in the place of the rest, with one {{end}} for both.
                guard next == word, word != .word("range") else { throw wrong("expected {{else}}") }
                tokens.removeFirst()
                block.otherwise = [try self.block(next, depth: depth + 1)]
                last = "end"
            } else {
                (block.otherwise, last) = try nodes(depth: depth + 1)
            }
        }
        guard last == "end", tokens.isEmpty else { throw .usage("--template: {{\(opening)}} has no {{end}}") }
        switch word {
        case .word("if"): return .when(block)
        case .word("with"): return .with(block)
        default: return .range(block)
        }
    }

    /// "$key, $value :=" before the pipeline of a block.
    private mutating func declared(atMost limit: Int) throws(Failure) -> [String] {
        guard let end = tokens.firstIndex(of: .declare) else { return [] }
        let words = tokens[..<end].filter { $0 != .comma }
        tokens.removeFirst(end + 1)
        var names: [String] = []
        for word in words {
            guard case .variable(let name, let fields) = word, fields.isEmpty, name != "$" else {
                throw wrong("expected variables before :=")
            }
            names.append(name)
        }
        guard (1...limit).contains(names.count) else { throw wrong("expected at most \(limit) variables before :=") }
        return names
    }

    // MARK: - Pipelines

    private mutating func whole() throws(Failure) -> Template.Pipeline {
        let pipeline = try pipeline(depth: 0)
        guard tokens.isEmpty else { throw wrong("does not end where it should") }
        return pipeline
    }

    private mutating func pipeline(depth: Int) throws(Failure) -> Template.Pipeline {
        guard depth <= Self.depthMax else { throw wrong("more than \(Self.depthMax) parentheses in each other") }
        var commands: [Template.Command] = []
        repeat {
            if !commands.isEmpty { tokens.removeFirst() }
            commands.append(try command(isFirst: commands.isEmpty, depth: depth))
        } while tokens.first == .pipe
        return Template.Pipeline(commands: commands)
    }

    private mutating func command(isFirst: Bool, depth: Int) throws(Failure) -> Template.Command {
        if case .word(let name) = tokens.first {
            guard let function = TemplateFunction(rawValue: name) else {
                throw wrong("there is no function \"\(printable(name))\"")
            }
            tokens.removeFirst()
            var arguments: [Template.Operand] = []
            while let operand = try operand(depth: depth) { arguments.append(operand) }
            guard function.takes.contains(arguments.count + (isFirst ? 0 : 1)) else {
                throw wrong("\(name) takes another number of arguments")
            }
            return .call(function, arguments)
        }
        guard isFirst, let operand = try operand(depth: depth) else { throw wrong("expected a value or a function") }
        return .value(operand)
    }

    private mutating func operand(depth: Int) throws(Failure) -> Template.Operand? {
        switch tokens.first {
        case .fields(let fields):
            tokens.removeFirst()
            return .variable(".", fields: fields)
        case .variable(let name, let fields):
            guard scope.contains(name) else { throw wrong("\(name) is not declared") }
            tokens.removeFirst()
            return .variable(name, fields: fields)
        case .literal(let value):
            tokens.removeFirst()
            return .literal(value)
        case .open:
            tokens.removeFirst()
            let inside = try pipeline(depth: depth + 1)
            guard case .close(let fields) = tokens.first else { throw wrong("a parenthesis is not closed") }
            tokens.removeFirst()
            return .group(inside, fields: fields)
        default: return nil
        }
    }

    private func wrong(_ what: String) -> Failure { .usage("--template: {{\(source)}}: \(what)") }
}
