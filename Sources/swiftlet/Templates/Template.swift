import CLICore

/// A template of `-o go-template`: the part of Go's text/template that output formats are written in.
///
/// Actions: fields, pipelines, if, else if, range, with, variables, comments and trim markers; functions as in
/// `TemplateFunction`. What is not known is refused when the template is read, before the runtime is asked.
struct Template: Sendable {
    /// A value that an action begins with, with the fields that are taken of it.
    indirect enum Operand: Sendable {
        /// The dot, `$` or a variable, by name; the dot's is ".".
        case variable(String, fields: [String])
        case literal(JSONValue)
        case group(Pipeline, fields: [String])
    }

    /// A function with its arguments, or a value alone.
    enum Command: Sendable {
        case call(TemplateFunction, [Operand])
        case value(Operand)
    }

    /// Commands, each given the result of the one before as its last argument.
    struct Pipeline: Sendable {
        var commands: [Command]
    }

    /// What `if`, `range` and `with` have in common.
    struct Block: Sendable {
        var variables: [String] = []
        var pipeline: Pipeline
        var body: [Node] = []
        var otherwise: [Node] = []
    }

    indirect enum Node: Sendable {
        case text(String)
        case show(Pipeline)
        case set(String, Pipeline, isNew: Bool)
        case when(Block)
        case with(Block)
        case range(Block)
    }

    let nodes: [Node]

    /// Reads a template.
    init(parsing text: String) throws(Failure) {
        var parser = try TemplateParser(text)
        nodes = try parser.parse()
    }

    /// What the template makes of a value.
    func text(_ value: JSONValue) throws(Failure) -> String {
        var runner = TemplateRunner(root: value)
        try runner.run(nodes)
        return runner.text
    }
}
